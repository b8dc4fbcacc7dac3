package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/lab/cloud"
)

// newCompletion prints completion scripts.
func newCompletion(e *env) *cobra.Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Long: `Prints the script with which a shell completes commands, flags and their values when you press Tab. SHELL is bash, fish,
powershell or zsh; bash needs the package bash-completion. Put the script where the shell finds it and open a new shell.`,
		Example: `  unjam completion bash > ~/.local/share/bash-completion/completions/unjam
  unjam completion fish > ~/.config/fish/completions/unjam.fish
  unjam completion zsh > "${fpath[1]}/_unjam"
  unjam completion powershell >> $PROFILE
  source <(unjam completion bash)                 for this shell only`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("unjam completion takes one SHELL: bash, fish, powershell or zsh")
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(e.out, true)
			case "fish":
				return root.GenFishCompletion(e.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(e.out)
			}
			return root.GenZshCompletion(e.out)
		},
	}
}

// completes offers the values of a flag to the shell, and files as well where files is set.
func completes(c *cobra.Command, flag string, values []string, files bool) {
	directive := cobra.ShellCompDirectiveNoFileComp
	if files {
		directive = cobra.ShellCompDirectiveDefault
	}
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, directive)); err != nil {
		panic("cli: complete flag: " + err.Error())
	}
}

// regionNames are the values of --region: those that the lab knows, and all. Others are taken as well.
func regionNames() []string {
	return append([]string{"all"}, slices.Sorted(maps.Keys(cloud.DefaultRegions()))...)
}

// didYouMean ends a message about an unknown name: the known ones that look alike, if any do.
func didYouMean(name string, known []string) string {
	if alike := app.Near(name, known); len(alike) > 0 {
		return "; did you mean " + strings.Join(alike, " or ") + "?"
	}
	return ""
}
