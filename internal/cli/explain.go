package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
)

func newExplain(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a fault: what it is, how to see and mend it (offline)",
		Long: `Explains a fault: what it is, its causes, how to see it by hand and how to mend it. Needs no network.
Without a CODE it lists the faults.`,
		Example: "  unjam explain\n  unjam explain connection-pending",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("unjam explain takes one CODE")
			}
			return e.data(func(w io.Writer) error {
				all, err := e.faults()
				if err != nil {
					return err
				}
				if len(args) == 0 {
					return e.catalogue(w, all)
				}
				for _, f := range all {
					if string(f.Code) == args[0] {
						if e.json() {
							return report.JSON(w, report.NewExplanation(f))
						}
						return report.Explain(w, f, e.view(e.out))
					}
				}
				if like := didYouMean(args[0], codes(all)); like != "" {
					return usagef("there is no fault %q%s", args[0], like)
				}
				return usagef("there is no fault %q; the faults are %s", args[0], strings.Join(codes(all), ", "))
			})
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			all, err := e.faults()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return codes(all), cobra.ShellCompDirectiveNoFileComp
		},
	}
	return c
}

func codes(all []*fault.Fault) []string {
	var names []string
	for _, f := range all {
		names = append(names, string(f.Code))
	}
	return names
}

// catalogue lists the faults.
func (e *env) catalogue(w io.Writer, all []*fault.Fault) error {
	if e.json() {
		doc := report.CatalogueDoc{Schema: "unjam/catalogue/v1"}
		for _, f := range all {
			doc.Faults = append(doc.Faults, report.NewExplanation(f))
		}
		return report.JSON(w, doc)
	}
	return report.Catalogue(w, all, e.view(e.out))
}
