package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/unjam/unjam/internal/fault"
)

// Explanation is a fault's documentation as a document.
type Explanation struct {
	Schema   string           `json:"schema"`
	Code     fault.Code       `json:"code"`
	Title    string           `json:"title"`
	Severity fault.Severity   `json:"severity"`
	Bucket   fault.Bucket     `json:"bucket"`
	Symptom  string           `json:"symptom"`
	Text     string           `json:"text"`
	Causes   []ExplainedCause `json:"causes"`
	See      []string         `json:"see"`
	Remedy   string           `json:"remedy"`
	Links    []string         `json:"links"`
	Since    string           `json:"since"`
}

// ExplainedCause is one cause in an Explanation.
type ExplainedCause struct {
	Code     string `json:"code"`
	Text     string `json:"text"`
	Evidence string `json:"evidence"`
	Remedy   string `json:"remedy"`
}

// CatalogueDoc is every fault's documentation as one document.
type CatalogueDoc struct {
	Schema string        `json:"schema"`
	Faults []Explanation `json:"faults"`
}

// NewExplanation makes the document of a fault.
func NewExplanation(f *fault.Fault) Explanation {
	x := Explanation{Schema: "unjam/explanation/v1", Code: f.Code, Title: f.Doc.Title, Severity: f.Doc.Severity, Bucket: f.Doc.Bucket, Symptom: f.Doc.Symptom,
		Text: f.Doc.Text, See: f.Doc.See, Remedy: f.Doc.Remedy, Links: f.Doc.Links, Since: f.Doc.Since}
	for _, c := range f.Doc.Causes {
		x.Causes = append(x.Causes, ExplainedCause(c))
	}
	return x
}

// Explain writes a fault's documentation for a person.
func Explain(w io.Writer, f *fault.Fault, v View) error {
	p := newPage(w, v)
	p.line(p.paint(bold, f.Doc.Title) + "  " + p.paint(dim, string(f.Code)))
	p.line("")
	p.text(0, "", f.Doc.Text)
	p.line("")
	p.field("Symptom", f.Doc.Symptom)
	p.field("Severity", "usually "+string(f.Doc.Severity)+"; a finding says how bad it is in its case")
	p.field("Whose", matter(f.Doc.Bucket))
	for _, c := range f.Doc.Causes {
		p.line("")
		p.line("  " + p.paint(bold, c.Code))
		p.field("", c.Text)
		p.field("Evidence", c.Evidence)
		p.field("Remedy", c.Remedy)
	}
	p.line("")
	for i, s := range f.Doc.See {
		p.field(first(i, "By hand"), s)
	}
	p.field("Remedy", f.Doc.Remedy)
	for i, l := range f.Doc.Links {
		p.field(first(i, "Read"), l)
	}
	return p.err
}

// matter says in words whose matter a bucket is.
func matter(b fault.Bucket) string {
	words := map[fault.Bucket]string{
		fault.Person:        "a person's step: somebody has to do what no API can",
		fault.IAM:           "permissions: a policy of IAM or of the organisation",
		fault.Network:       "the network between AWS, you and the provider",
		fault.Quota:         "a limit of the account, or the rate of calls",
		fault.Configuration: "what the pipeline or the connection is set to",
		fault.Provider:      "the Git provider, or your organisation there",
		fault.Service:       "AWS itself",
	}
	return strings.TrimSpace(words[b] + " (bucket " + string(b) + ")")
}

// Catalogue lists faults, a line each.
func Catalogue(w io.Writer, all []*fault.Fault, v View) error {
	p := newPage(w, v)
	wide := 0
	for _, f := range all {
		wide = max(wide, len(f.Code))
	}
	for _, f := range all {
		p.line(p.paint(bold, fmt.Sprintf("%-*s", wide+2, f.Code)) + f.Doc.Title)
	}
	p.line("")
	p.line("Next: unjam explain CODE")
	return p.err
}
