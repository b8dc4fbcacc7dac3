package cli

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// next is the command that comes after a diagnosis.
func next(cmd *cobra.Command, d *app.Diagnosis, args []string) string {
	for _, f := range d.Report.Findings {
		if f.Severity == fault.Info || !planned(f.Code) {
			continue
		}
		targets := plainTargets(args, d.Report.Identity.Account)
		if len(args) != 1 {
			targets = f.Subject.ARN
			if f.Subject.Kind == "pipeline" && f.Subject.Region == d.Snapshot.Question().Regions[0] {
				targets = f.Subject.Name
			}
		}
		return "unjam fix " + targets + flagsOf(cmd) + "      (shows the plan; --apply does it)"
	}
	for _, f := range d.Report.Findings {
		return "unjam explain " + string(f.Code)
	}
	return ""
}

// plainTargets are targets as they can be typed into any shell: the console's URL of a pipeline or a connection becomes its ARN.
func plainTargets(args []string, account string) string {
	var all []string
	for _, arg := range args {
		t, err := fact.ParseTarget(arg)
		switch {
		case err != nil || !strings.HasPrefix(arg, "http"):
		case t.Kind != fact.KindPipeline, t.Region == "" && t.Execution == "":
			arg = t.Name
		case t.Execution == "":
			arg = fact.ARN{Partition: fact.Partition(t.Region), Service: "codepipeline", Region: t.Region, Account: account, Resource: t.Name}.String()
		}
		all = append(all, shellWord(arg))
	}
	return strings.Join(all, " ")
}

// flagsOf are the flags that were typed and that the next command needs as well, each with a space before it: what says where and what
// to look at, not how it is shown.
func flagsOf(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"apply", "interval", "no-color", "notify", "out", "output", "quiet", "timeout", "write-baseline"}, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if s, ok := f.Value.(pflag.SliceValue); ok {
			values = s.GetSlice()
		}
		for _, v := range values {
			b.WriteString(" --" + f.Name)
			switch {
			case f.Value.Type() != "bool":
				b.WriteString(" " + shellWord(v))
			case v != "true":
				b.WriteString("=" + v)
			}
		}
	})
	return b.String()
}

// shellWord quotes what a shell would not take as it is.
func shellWord(s string) string {
	if plain := regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_-]+$`); plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
