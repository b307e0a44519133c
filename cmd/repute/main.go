// Command repute infers, from mail logs, what each receiver thinks of each
// sending IP. docs/architecture.md draws the parts.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
