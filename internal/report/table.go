package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/baseline"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// maxListed is how many affected things a table names; the JSON names all.
const maxListed = 12

// Table writes a diagnosis for a person at a terminal. next is the command to type next; "" for none.
func Table(w io.Writer, d Diagnosis, v View, next string) error {
	p := newPage(w, v)
	p.warnings(d.Warnings)
	p.head(d.Identity, d.Results)
	for i, f := range d.Findings {
		p.line("")
		p.finding(f, i == 0)
	}
	if len(d.Findings) == 0 {
		p.line("")
		p.nothing(d)
	}
	p.hidden(d.Hidden)
	p.gaps(d.Gaps)
	p.line("")
	p.verdicts(d.Results)
	p.line(p.paint(dim, fmt.Sprintf("%s in %.1f s", fault.Plural(d.Calls.Total, "call"), float64(d.ElapsedMS)/1000)))
	if next != "" {
		p.line("")
		p.line("Next: " + p.paint(bold, next))
	}
	return p.err
}

// nothing says that no finding is shown, and how much that means.
func (p *page) nothing(d Diagnosis) {
	known := d.Hidden != nil && len(d.Hidden.Findings) > 0
	switch {
	case d.Blind() && known:
		p.text(0, yellow, "Nothing wrong was found that the baseline does not know, but not everything that matters could be seen.")
	case d.Blind():
		p.text(0, yellow, "Nothing wrong was found, but not everything that matters could be seen.")
	case known:
		p.text(0, green, "Nothing is stuck that the baseline does not know: everything relevant was read.")
	default:
		p.text(0, green, "Nothing is stuck: everything relevant was read.")
	}
}

// hidden lists the findings that a baseline hides, a few lines each.
func (p *page) hidden(h *baseline.Hidden) {
	if h == nil || len(h.Findings) == 0 {
		return
	}
	p.line("")
	p.line(p.paint(dim, fmt.Sprintf("Hidden by %s: %s", h.File, fault.Plural(len(h.Findings), "finding"))))
	for _, k := range h.Findings {
		p.text(2, "", fmt.Sprintf("%s: %s", k.ID, k.Message))
		p.text(4, dim, fmt.Sprintf("%s, until %s: %s", k.Owner, k.Expires, k.Reason))
	}
}

// head is the banner: account and Region first, since a wrong one explains most surprises.
func (p *page) head(i Identity, results []Result) {
	var regions []string
	for _, r := range results {
		if len(regions) == 0 || regions[len(regions)-1] != r.Region {
			if !contains(regions, r.Region) {
				regions = append(regions, r.Region)
			}
		}
	}
	where := strings.Join(regions, ", ")
	if len(regions) > 3 {
		where = fmt.Sprintf("%s and %d more", strings.Join(regions[:3], ", "), len(regions)-3)
	}
	p.line(p.paint(bold, "Account "+i.Account) + "  Region " + where)
	who := Who(i.ARN)
	if i.ExpiresAt != "" {
		who += ", until " + p.stamp(i.ExpiresAt)
	}
	p.line(p.paint(dim, "as "+who))
}

// warnings come before everything else: what looks wrong about the session explains most surprises.
func (p *page) warnings(all []string) {
	for _, m := range all {
		p.text(0, yellow, "Warning: "+m)
	}
}

// Who is the short name of an identity: the role and session, or the user.
func Who(arn string) string {
	a, err := fact.ParseARN(arn)
	if err != nil {
		return arn
	}
	kind, name, ok := strings.Cut(a.Resource, "/")
	switch {
	case !ok:
		return a.Resource
	case kind == "assumed-role":
		role, session, _ := strings.Cut(name, "/")
		return roleName(role) + "/" + session
	}
	return roleName(a.Name())
}

// roleName is a role's name as people know it: the permission set's for roles of IAM Identity Center.
func roleName(role string) string {
	if set := fact.PermissionSet(role); set != "" {
		return set + " (permission set)"
	}
	return role
}

// finding writes one finding; the leading one with its timeline.
func (p *page) finding(f fault.Finding, leading bool) {
	st := yellow
	if f.Severity.Rank() <= fault.High.Rank() {
		st = red
	}
	p.line(p.paint(st, strings.ToUpper(string(f.Severity))) + "  " + p.paint(bold, f.Title) + "  " + p.paint(dim, string(f.Code)))
	p.text(2, "", f.Message)
	p.line("")
	p.field("Cause", f.Cause.Text+sure(f.Cause.Class))
	if f.Details.CreatedBy != "" || f.Details.CreatedWith != "" {
		p.field("Created", created(f.Details))
	}
	if f.Since != "" {
		p.field("Since", p.stamp(f.Since))
	}
	p.affects(f)
	p.whoCan(f.Details.WhoCan)
	for i, a := range f.Details.Alternatives {
		p.field(first(i, "Instead"), a+" is AVAILABLE")
	}
	for i, e := range f.Explained {
		p.field(first(i, "Explains"), string(e.Code)+": "+e.Message)
	}
	for i, e := range f.Evidence {
		if i == maxListed {
			p.field("", fmt.Sprintf("and %d more (all of them with --output json)", len(f.Evidence)-maxListed))
			break
		}
		p.field(first(i, "Proof"), p.proof(e, f.Subject))
	}
	for i, r := range f.Triage {
		p.field(first(i, "Triage"), triage(r))
	}
	p.changes(f)
	if leading {
		p.timeline(f)
	}
	p.field("Remedy", f.Remedy)
	p.grant(f)
	if f.Link != "" {
		p.field("Link", f.Link)
	}
}

// sure is how a claim's class reads behind a text. A verified claim needs no word.
func sure(c fault.Class) string {
	switch c {
	case fault.Verified:
		return ""
	case fault.Unclear:
		return " (not known)"
	}
	return " (" + string(c) + ")"
}

func created(d fault.Details) string {
	by := d.CreatedBy
	if by != "" {
		by = "by " + Who(by)
	}
	if d.CreatedWith != "" {
		by += " with " + d.CreatedWith
	}
	return strings.TrimSpace(by)
}

func (p *page) affects(f fault.Finding) {
	label := "Waiting"
	if f.Subject.Kind == "pipeline" {
		label = "Uses"
	}
	wide := 0
	for _, a := range f.Affects {
		wide = max(wide, len(a.Name))
	}
	for i, a := range f.Affects {
		if i == maxListed {
			p.field("", fmt.Sprintf("and %d more (all of them with --output json)", len(f.Affects)-maxListed))
			return
		}
		p.raw(first(i, label), fmt.Sprintf("%-*s  %s", min(wide, 40), a.Name, a.Region))
	}
}

func (p *page) whoCan(who []fault.WhoCan) {
	for i, w := range who {
		word := "may complete it"
		if !w.Allowed {
			word = "may not"
			if w.By != "" {
				word += " (" + w.By + ")"
			}
			word += ", lacks " + short(w.Lacks)
		}
		p.field(first(i, "Who may"), Who(w.ARN)+" "+word+" (simulated)")
	}
}

func short(actions []string) string {
	if len(actions) == 1 {
		return actions[0]
	}
	return fmt.Sprintf("%s and %d more", actions[0], len(actions)-1)
}

// proof is a piece of evidence in a line or two. The subject's ARN reads as its name; request IDs are in the JSON.
func (p *page) proof(e fault.Evidence, about fault.Subject) string {
	s := string(e.Class) + ": " + e.Field
	if e.Got != "" {
		s += " " + e.Got
	}
	if e.Want != "" && e.Want != e.Got {
		s += ", want " + e.Want
	}
	if e.Text != "" {
		s += "; " + byName(e.Text, about)
	}
	return s + " [" + e.Source.Operation + "]"
}

// triage is a ruling on one bucket in a line or two.
func triage(r fault.Ruling) string {
	word := map[fault.Says]string{fault.ItIs: "is it", fault.RuledOut: "ruled out", fault.Unseen: "not seen"}[r.Says]
	if r.Says == fault.ItIs {
		return string(r.Bucket) + " " + word + sure(r.Class)
	}
	return string(r.Bucket) + " " + word + ": " + r.Why + sure(r.Class)
}

func (p *page) gaps(gaps []Gap) {
	if len(gaps) == 0 {
		return
	}
	p.line("")
	p.line(p.paint(yellow, "Not seen"))
	type key struct{ service, operation, why string }
	count := map[key]int{}
	for _, g := range gaps {
		count[key{g.Service, g.Operation, g.Why}]++
	}
	for _, g := range gaps {
		k := key{g.Service, g.Operation, g.Why}
		n := count[k]
		if n == 0 {
			continue
		}
		delete(count, k)
		times := ""
		if n > 1 {
			times = fmt.Sprintf(" (%d times)", n)
		}
		name := g.Operation
		if g.Service != "" {
			name = g.Service + ":" + g.Operation
		}
		if g.Class == fact.Missing {
			p.text(2, "", g.Why) // there is nothing to be permitted
			continue
		}
		p.text(2, "", fmt.Sprintf("%s in %s: %s, %s%s", name, orGlobal(g.Region), g.Class, g.Why, times))
		if g.Permission != "" {
			p.text(4, dim, "would be shown by the permission "+g.Permission)
		}
	}
}

func orGlobal(region string) string {
	if region == "" {
		return "the account"
	}
	return region
}

// verdicts writes the verdict of each fault, with the Regions beside it where they differ.
func (p *page) verdicts(results []Result) {
	by := map[fault.Verdict][]string{}
	for i, r := range results {
		if c, first := told(results, i); first {
			by[r.Verdict] = append(by[r.Verdict], c)
		}
	}
	for _, v := range []struct {
		verdict fault.Verdict
		st      style
	}{{fault.Found, red}, {fault.Unknown, yellow}, {fault.Clear, green}} {
		if len(by[v.verdict]) > 0 {
			for i, l := range wrap(strings.Join(by[v.verdict], ", "), p.view.Width-8) {
				p.line(p.paint(v.st, fmt.Sprintf("%-8s", first(i, string(v.verdict)))) + l)
			}
		}
	}
}

// told is how the i-th result reads: its code, and the Regions of the same verdict where others differ. Only the first of a code and
// verdict is told.
func told(results []Result, i int) (string, bool) {
	var same []string
	differ := false
	for k, o := range results {
		switch {
		case o.Code != results[i].Code:
		case o.Verdict != results[i].Verdict:
			differ = true
		case k < i:
			return "", false
		default:
			same = append(same, o.Region)
		}
	}
	c := string(results[i].Code)
	if !differ {
		return c, true
	}
	if len(same) > 3 {
		return fmt.Sprintf("%s (%d Regions)", c, len(same)), true
	}
	return c + " (" + strings.Join(same, " ") + ")", true
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

func first(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// Ago is how long ago t was at now, in one or two words.
func Ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}
