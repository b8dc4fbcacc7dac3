package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is the width that help is written for, in columns.
const helpWidth = 80

// help writes a command's help: what it does, how it is called, examples first, flags last.
func help(w io.Writer, c *cobra.Command) error {
	var b strings.Builder
	about := c.Long
	if about == "" {
		about = c.Short
	}
	use := c.UseLine()
	if !c.HasParent() {
		use = c.Name() + " COMMAND [flags]"
	}
	fmt.Fprintf(&b, "%sUsage:\n  %s\n", reflow(about), use)
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	helpCommands(&b, c)
	if c.HasParent() {
		helpFlags(&b, "Flags", c.LocalFlags())
		var names []string
		c.InheritedFlags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		text := "Flags everywhere (" + c.Root().Name() + " --help explains them): " + strings.Join(names, " ")
		fmt.Fprintf(&b, "\n%s\n", strings.Join(fold(text, helpWidth), "\n"))
	} else {
		helpFlags(&b, "Flags everywhere", c.Flags())
	}
	b.WriteString("\n" + exitHelp)
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help says more about a command.\n", c.CommandPath())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// newHelp is the command help: the help of a command, as with --help.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Say more about a command",
		Long:    "Says what a command does, as COMMAND --help does.",
		Example: "  unjam help\n  unjam help diagnose",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return codeError{code: exitUsage, err: fmt.Errorf("there is no command %q", strings.Join(args, " ")), next: "unjam help"}
			}
			of.InitDefaultHelpFlag() // so that it is listed
			return of.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range cmd.Root().Commands() {
				if c.IsAvailableCommand() && len(args) == 0 {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// helpCommands lists the commands below c, by group.
func helpCommands(b *strings.Builder, c *cobra.Command) {
	groups := append([]*cobra.Group{}, c.Groups()...)
	if len(groups) == 0 && c.HasAvailableSubCommands() {
		groups = []*cobra.Group{{Title: "Commands"}}
	}
	for _, g := range groups {
		fmt.Fprintf(b, "\n%s:\n", g.Title)
		for _, s := range c.Commands() {
			if s.GroupID == g.ID && s.IsAvailableCommand() {
				fmt.Fprintf(b, "  %-12s %s\n", s.Name(), s.Short)
			}
		}
	}
}

// helpFlags lists flags. That a switch also takes =true and =false need not be said.
func helpFlags(b *strings.Builder, title string, set *pflag.FlagSet) {
	const column = 26
	fmt.Fprintf(b, "\n%s:\n", title)
	set.VisitAll(func(f *pflag.Flag) {
		name, usage := pflag.UnquoteUsage(f)
		head := "      --" + f.Name
		if f.Shorthand != "" {
			head = "  -" + f.Shorthand + ", --" + f.Name
		}
		if f.Value.Type() != "bool" {
			head += " " + strings.ToUpper(name)
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0s" && f.DefValue != "0" {
			usage += " (default " + f.DefValue + ")"
		}
		for i, l := range fold(usage, helpWidth-column) {
			if i > 0 {
				head = ""
			} else if len(head) >= column {
				fmt.Fprintln(b, head)
				head = ""
			}
			fmt.Fprintf(b, "%-*s%s\n", column, head, l)
		}
	})
}

// reflow folds the paragraphs of a text; indented lines stay as they are. It ends with an empty line.
func reflow(text string) string {
	var b strings.Builder
	for para := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := []string{para}
		if !strings.HasPrefix(para, " ") {
			lines = fold(para, helpWidth)
		}
		b.WriteString(strings.Trim(strings.Join(lines, "\n"), "\n") + "\n\n")
	}
	return b.String()
}

// fold breaks a text at spaces into lines of at most width columns.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + w)
	}
	return append(lines, line)
}
