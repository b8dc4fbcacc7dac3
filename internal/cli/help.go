package cli

import (
	"fmt"
	"io"
	"strings"

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
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(about), c.UseLine())
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	helpCommands(&b, c)
	flags(&b, "Flags", c.LocalNonPersistentFlags())
	if c.HasParent() {
		flags(&b, "Flags everywhere", c.InheritedFlags())
	} else {
		flags(&b, "Flags everywhere", c.PersistentFlags())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help says more about a command.\n", c.CommandPath())
	}
	_, err := io.WriteString(w, b.String())
	return err
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

// flags lists flags, wrapped. That a switch also takes =true and =false is known to those who need it.
func flags(b *strings.Builder, title string, f *pflag.FlagSet) {
	if f.HasAvailableFlags() {
		text := strings.ReplaceAll(f.FlagUsages(), "[=true|false]", strings.Repeat(" ", len("[=true|false]")))
		fmt.Fprintf(b, "\n%s:\n%s\n", title, strings.TrimRight(text, "\n"))
	}
}
