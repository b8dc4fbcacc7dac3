// Package readsdisagree finds connections whose status AWS tells differently in two reads: the console's page, a list in another Region
// and the connection's own Region need not agree for a while. It never averages: the owning Region decides, and the difference is said.
package readsdisagree

import (
	"fmt"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const behind = "another-region-is-behind"

// Fault is the fault reads-disagree.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "reads-disagree",
		Doc: fault.Doc{
			Title:   "Two reads of a connection disagree",
			Symptom: "The console shows a connection as Available and the API as PENDING, or the other way round.",
			Text: "A connection is kept in its own Region and copied to the others, and the console keeps what it has shown. For some time after a change two reads may differ. " +
				"The owning Region is asked before anything is decided, and what disagrees with it is named.",
			Causes: []fault.CauseDoc{
				{Code: behind, Text: "A list in another Region still shows the old status.", Evidence: "ListConnections in one Region and GetConnection in the connection's own.", Remedy: "Trust the owning Region; ask again in a minute before changing anything."},
			},
			See:      []string{"aws codeconnections get-connection --connection-arn ARN --region REGION-OF-THE-ARN", "aws codeconnections list-connections --region REGION"},
			Remedy:   "Trust the owning Region, and ask again in a minute.",
			Severity: fault.Low, Bucket: fault.Service, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/welcome-connections-how-it-works-global.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindConnection},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	arns, needs := fault.Connections(s)
	j := fault.Judgement{Needs: needs}
	for _, arn := range arns {
		c, known, absent, settles := fault.Connection(s, arn)
		j.Need(settles)
		if !known && !absent {
			continue
		}
		a, err := fact.ParseARN(arn)
		if err != nil {
			continue
		}
		if other, ok := elsewhere(s, c, arn, a.Region, absent); ok {
			j.Findings = append(j.Findings, judge(s, c, other, a.Region, absent))
		}
	}
	return j
}

// elsewhere is an observation of the connection from another Region that tells another status than its own Region, both of this
// diagnosis; a connection that is gone at home and still listed elsewhere counts.
func elsewhere(s *fact.Snapshot, c fact.Connection, arn, home string, absent bool) (fact.Connection, bool) {
	own := ""
	for o := range fact.All[fact.Connection](s) {
		if o.ARN == arn && o.Source().Region == home {
			own = o.Status
		}
	}
	if own == "" && !absent {
		return c, false // its own Region was not asked: nothing to compare with
	}
	for o := range fact.All[fact.Connection](s) {
		if o.ARN == arn && o.Source().Region != home && o.Status != own {
			return o, true
		}
	}
	return c, false
}

func judge(s *fact.Snapshot, c, other fact.Connection, home string, absent bool) fault.Finding {
	own := c.Status
	var at fact.Fact = c
	if absent {
		own = "not found"
		gone, _ := s.Absence(other.Ref())
		at = gone
	} else {
		for o := range fact.All[fact.Connection](s) {
			if o.ARN == c.ARN && o.Source().Region == home {
				own, at = o.Status, o
			}
		}
	}
	return fault.Finding{
		Title: "Two reads of a connection disagree", Severity: fault.Low, Bucket: fault.Service,
		Subject: fault.ConnectionSubject(other.ARN, other.Name), About: other.Ref(), Link: fault.ConnectionLink(s.Question(), other.ARN),
		Cause: fault.Cause{Code: behind, Class: fault.Verified,
			Text: fmt.Sprintf("%s, the connection's own Region, says %s; %s says %s.", home, own, other.Source().Region, other.Status)},
		Evidence: []fault.Evidence{
			fault.Ev(fault.Verified, at, "ConnectionStatus in "+home, own, ""),
			fault.Ev(fault.Verified, other, "ConnectionStatus in "+other.Source().Region, other.Status, own),
		},
		Message: fmt.Sprintf("AWS tells the status of connection %q differently: %s in %s, %s in %s.", other.Name, own, home, other.Status, other.Source().Region),
		Remedy:  "The owning Region counts. Ask again in a minute before changing anything; the console may show either for some minutes.",
	}
}
