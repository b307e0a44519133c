package main

import "github.com/spf13/cobra"

// commands lists the program's commands, in the order of the help text.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.analyzeCommand(),
		a.ingestCommand(),
		a.followCommand(),
		a.alertCommand(),
		a.parseCommand(),
		a.scoresCommand(),
		a.changesCommand(),
		a.explainCommand(),
		a.traceCommand(),
		a.planCommand(),
		a.reportCommand(),
		a.signalsCommand(),
		a.classifyCommand(),
		a.rulesCommand(),
		a.doctorCommand(),
		a.dbCommand(),
		a.verifyCommand(),
		a.repairCommand(),
		a.forgetCommand(),
	}
}
