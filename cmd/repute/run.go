package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"repute/internal/store"
)

// app is what every command is given: the streams, the flags that all share,
// and nothing else. Commands are built from it, never registered.
type app struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
	env      func(string) string

	writeFile func(path string, data []byte) error
	// Of a command that another process asked for: the database that is lent
	// to it, and the configuration of the process that owns it.
	lent        *store.Store
	lentReading *reading
	outbox      *sync.Mutex // whoever sends from the outbox holds it; nil where nobody else could

	configPath string
	rulesDir   string
	debug      bool
}

// run is the program: arguments in, exit status out. Results go to stdout,
// everything else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: stdin, out: stdout, err: stderr, env: os.Getenv, writeFile: writeFile}
	root := a.root()
	root.SetArgs(args)
	// The database, its log of changes and the reports are about people's mail.
	syscall.Umask(0o077)
	err := root.ExecuteContext(ctx)
	if status, served := a.askOwner(ctx, err, args); served {
		return status
	}
	return a.finish(ctx, err)
}

// finish tells a command's error and gives its exit status.
func (a *app) finish(ctx context.Context, err error) int {
	status := exitStatus(ctx, err)
	switch {
	case status == exitInterrupted:
		fmt.Fprintln(a.err, "repute: interrupted; what was committed stays, the next run goes on there")
	case err != nil && !quiet(err):
		a.complain(err)
	}
	return status
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "repute",
		Short: "What mailbox providers think of your sending IPs, read from your own mail logs",
		Long: `repute reads Postfix and Exim logs and infers, for every sending IP and every
receiver, the reputation that the receiver keeps to itself: a score from 0 to
100 with an interval, its history, the cause of each fall, the log lines behind
it and what to do.

Start with:  repute analyze /var/log/mail.log*`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			level := slog.LevelInfo
			if a.debug {
				level = slog.LevelDebug
			}
			a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usagef("a command is missing")
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; see: %s --help", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", "", "configuration `file` (TOML); see docs/configuration.md")
	flags.StringVar(&a.rulesDir, "rules", "", "`directory` with rules of your own, tried before the built-in ones")
	flags.BoolVar(&a.debug, "debug", false, "say more on stderr")
	root.AddCommand(a.commands()...)
	return root
}

// version is what the Go tool knows of the build: a tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version + " " + info.GoVersion
}
