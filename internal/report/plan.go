package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// Plan writes a plan for a person: every step with what it changes, what it may disturb, and its way back or why there is none.
func Plan(w io.Writer, pl plan.Plan, v View) error {
	p := newPage(w, v)
	word := "Plan "
	if pl.Undoes != "" {
		word = "Rollback of run " + pl.Undoes + ": plan "
	}
	p.line(p.paint(bold, word) + short12(string(pl.ID)) + "  account " + pl.Account + "  Region " + strings.Join(pl.Regions, ", "))
	for _, f := range pl.Findings {
		p.text(2, "", f.Code+": "+f.Message)
	}
	if len(pl.Steps) == 0 {
		p.line("")
		if pl.Undoes != "" {
			p.line("Nothing to take back.")
		} else if len(pl.Findings) > 0 {
			p.line("Nothing that unjam can do by itself.")
		} else {
			p.line("Nothing to do.")
		}
	}
	number := map[string]int{}
	for i, s := range pl.Steps {
		number[s.ID] = i + 1
		p.line("")
		p.step(s, number, pl.Account)
	}
	for _, a := range pl.Asks {
		p.line("")
		p.text(0, yellow, "Question: "+a.Question)
	}
	for i, n := range pl.Notes {
		if i == 0 {
			p.line("")
			p.line(p.paint(yellow, noteTitle(pl)))
		}
		p.text(2, "", "- "+n)
	}
	p.line("")
	p.line(p.paint(dim, summary(pl)))
	return p.err
}

// noteTitle stands over the notes: without steps there is nothing to say yes to.
func noteTitle(pl plan.Plan) string {
	if len(pl.Steps) == 0 {
		return "Notes"
	}
	return "Before you say yes"
}

func short12(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

func summary(pl plan.Plan) string {
	calls, human, undo := 0, 0, 0
	for _, s := range pl.Steps {
		switch s.Kind {
		case plan.Call:
			calls++
			if s.Undo != nil {
				undo++
			}
		case plan.Human:
			human++
		}
	}
	return fmt.Sprintf("%s of AWS (%d can be undone), %s by a person.", fault.Plural(calls, "change"), undo, fault.Plural(human, "step"))
}

func (p *page) step(s plan.Step, number map[string]int, account string) {
	mark := map[plan.Kind]string{plan.Human: "you", plan.Call: "call", plan.Wait: "wait", plan.Verify: "check"}[s.Kind]
	if a, err := fact.ParseARN(s.Target.ID); err == nil && s.Kind == plan.Human && a.Account != account {
		mark = "account " + a.Account
	}
	p.line(p.paint(bold, fmt.Sprintf("%2d. %s", number[s.ID], s.Title)) + "  " + p.paint(dim, mark))
	if s.Do != nil {
		o, _ := op.Find(s.Do.Service, s.Do.Operation)
		p.field("Call", fmt.Sprintf("%s:%s in %s", s.Do.Service, s.Do.Operation, s.Do.Region))
		if o.Says != nil {
			p.field("Changes", o.Says(s.Do.Input))
		}
		p.diff(s.Do.Patch)
		if doc := s.Do.Input["PolicyDocument"]; doc != "" && s.Undo != nil && s.Undo.Input["PolicyDocument"] != "" { // it replaces one
			p.field("Before", s.Undo.Input["PolicyDocument"])
			p.field("After", doc)
		} else if doc != "" {
			p.field("Grants", doc)
		}
		if o.Disturbs != "" {
			p.field("Disturbs", o.Disturbs)
		}
	}
	for i, e := range s.Blast {
		text := e.What
		if e.Production {
			text += " (looks like production)"
		}
		p.field(first(i, "Effect"), text)
	}
	if s.Undo != nil {
		p.field("Undo", s.Undo.Service+":"+s.Undo.Operation)
	} else if s.OneWay != "" {
		p.field("One way", s.OneWay)
	}
	if s.Overrules != "" {
		p.field("Overrules", s.Overrules)
	}
	if name := s.Consent(); name != "" {
		p.field("Consent", "--accept "+name)
	}
	if s.Window != "" {
		p.field("Window", "needs a maintenance window: "+s.Window)
	}
	if !s.NotBefore.IsZero() {
		p.field("Begins", p.clock(s.NotBefore))
	}
	if s.Pause > 0 {
		p.field("Begins", s.Pause.Round(time.Second).String()+" after the step before it")
	}
	if len(s.After) > 0 {
		var after []int
		for _, a := range s.After {
			after = append(after, number[a])
		}
		word := "step "
		if len(after) > 1 {
			word = "steps "
		}
		p.field("After", word+ranges(after))
	}
	if s.Say != nil && !p.view.Brief {
		p.guide(*s.Say)
	}
}

// diff shows what a patch changes: a "test" says what stood at the path before.
func (p *page) diff(edits []plan.Edit) {
	was := map[string]string{}
	for _, e := range edits {
		if e.Op == "test" {
			was[e.Path] = string(e.Value)
			continue
		}
		p.field("Diff", e.Path)
		if old, ok := was[e.Path]; ok {
			p.raw("", p.paint(red, "- "+old))
		}
		if e.Op != "remove" {
			p.raw("", p.paint(green, "+ "+string(e.Value)))
		}
	}
}

// ranges lists numbers in order, with three and more in a row as "2 to 4".
func ranges(all []int) string {
	all = slices.Compact(slices.Sorted(slices.Values(all)))
	var out []string
	for i := 0; i < len(all); {
		k := i
		for k+1 < len(all) && all[k+1] == all[k]+1 {
			k++
		}
		if k < i+2 {
			k = i
			out = append(out, strconv.Itoa(all[i]))
		} else {
			out = append(out, fmt.Sprintf("%d to %d", all[i], all[k]))
		}
		i = k + 1
	}
	return strings.Join(out, ", ")
}

// Guide writes what a person has to do.
func Guide(w io.Writer, g plan.Guide, v View) error {
	p := newPage(w, v)
	p.guide(g)
	return p.err
}

func (p *page) guide(g plan.Guide) {
	p.field("Where", g.Where)
	p.field("As", g.Role)
	p.field("Link", g.Link)
	for i, c := range g.Checklist {
		p.field(first(i, "Do"), fmt.Sprintf("%d. %s", i+1, c))
	}
	if g.Ask != "" {
		p.field("Rights", "A permission is lacking? This prints the policy to ask for:")
		p.raw("", g.Ask)
	}
	if g.Handover != "" {
		p.field("Message", g.Handover)
	}
}
