package fault

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// Checked says what Access Analyzer made of a policy document, or why it was not asked: the queries are those of KindPolicyCheck and
// KindNewAccess.
func Checked(s *fact.Snapshot, asked []fact.Query) string {
	var said []string
	for _, q := range asked {
		name := "ValidatePolicy"
		if q.Kind == fact.KindNewAccess {
			name = "CheckNoNewAccess"
		}
		ref := fact.Ref{Scope: q.Scope.Global(), Kind: q.Kind, ID: q.ID}
		if x, ok := fact.Get[fact.PolicyCheck](s, ref); ok {
			said = append(said, name+": "+issues(x.Findings))
		} else if x, ok := fact.Get[fact.NewAccess](s, ref); ok {
			said = append(said, name+": "+x.Result+" "+strings.Join(x.Reasons, "; "))
		} else if g, lost := s.GapOf(q); lost {
			why := g.Why
			if g.Permission != "" {
				why = g.Permission + " was denied"
			}
			said = append(said, "not checked: "+why)
		} else {
			said = append(said, "not checked yet")
		}
	}
	return strings.Join(said, "; ")
}

func issues(all []fact.PolicyIssue) string {
	if len(all) == 0 {
		return "no findings"
	}
	return fmt.Sprintf("%s, the first: %s %s", Plural(len(all), "finding"), all[0].Kind, all[0].Code)
}
