package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unjam/unjam/faults"
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
				if len(args) == 0 {
					return e.catalogue(w)
				}
				for _, f := range faults.All() {
					if string(f.Code) == args[0] {
						if e.json() {
							return report.JSON(w, report.NewExplanation(f))
						}
						return report.Explain(w, f, e.view(e.out))
					}
				}
				if like := didYouMean(args[0], codes()); like != "" {
					return usagef("there is no fault %q%s", args[0], like)
				}
				return usagef("there is no fault %q; the faults are %s", args[0], strings.Join(codes(), ", "))
			})
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codes(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	return c
}

func codes() []string {
	var all []string
	for _, f := range faults.All() {
		all = append(all, string(f.Code))
	}
	return all
}

// catalogue lists the faults.
func (e *env) catalogue(w io.Writer) error {
	if e.json() {
		doc := report.CatalogueDoc{Schema: "unjam/catalogue/v1"}
		for _, f := range faults.All() {
			doc.Faults = append(doc.Faults, report.NewExplanation(f))
		}
		return report.JSON(w, doc)
	}
	return report.Catalogue(w, faults.All(), e.view(e.out))
}
