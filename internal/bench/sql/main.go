// Command sql reads a Postfix log into tables by DuckDB's own SQL: what
// somebody would write who has DuckDB and not repute. With -whole it also finds
// each message's sender, masks the replies and counts first outcomes by hour;
// replies are not classified, and receivers not told.
package main

import (
	"context"
	"database/sql"
	"embed"
	"flag"
	"fmt"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"
)

//go:embed *.sql
var queries embed.FS

func main() {
	db := flag.String("db", "", "database `file` to make")
	whole := flag.Bool("whole", false, "do what ingest does, too: see whole.sql")
	threads := flag.Int("threads", 2, "DuckDB's threads")
	flag.Parse()
	if flag.NArg() != 1 || *db == "" {
		fmt.Fprintln(os.Stderr, "usage: sql --db FILE LOG")
		os.Exit(2)
	}
	if err := run(*db, flag.Arg(0), *threads, *whole); err != nil {
		fmt.Fprintln(os.Stderr, "sql:", err)
		os.Exit(1)
	}
}

func run(path, log string, threads int, whole bool) error {
	ctx := context.Background()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		return err
	}
	defer db.Close()
	quoted := "'" + strings.ReplaceAll(log, "'", "''") + "'"
	statements := []string{fmt.Sprintf("SET threads=%d", threads)}
	names := []string{"events.sql"}
	if whole {
		names = append(names, "whole.sql")
	}
	for _, name := range names {
		text, err := queries.ReadFile(name)
		if err != nil {
			return err
		}
		statements = append(statements, strings.ReplaceAll(string(text), "$log", quoted))
	}
	for _, q := range append(statements, "CHECKPOINT") {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	var rows, full int64
	if err := db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (status <> '' AND ts IS NOT NULL) FROM event").Scan(&rows, &full); err != nil {
		return err
	}
	if rows == 0 || rows != full {
		return fmt.Errorf("%d rows, %d of them complete", rows, full)
	}
	fmt.Printf("%d rows\n", rows)
	return nil
}
