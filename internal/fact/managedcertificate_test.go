package fact_test

import (
	"testing"

	"github.com/unjam/unjam/internal/fact"
)

// TestLetsAmazon: RFC 8659, 4.2 and 4.3, with the four names of Amazon.
func TestLetsAmazon(t *testing.T) {
	for _, tt := range []struct {
		answers     []string
		plain, wild bool
	}{
		{nil, true, true},
		{[]string{`0 iodef "mailto:olga@acme.example"`}, true, true},
		{[]string{`0 issue "amazon.com"`}, true, true},
		{[]string{`0 issue "letsencrypt.org"`, `0 issue "AWSTrust.com ; validationmethods=dns-01"`}, true, true},
		{[]string{`0 issue "letsencrypt.org"`}, false, false},
		{[]string{`0 issue ";"`}, false, false},
		{[]string{`0 issue "notamazon.com"`}, false, false},
		{[]string{`0 issue "letsencrypt.org"`, `0 issuewild "amazontrust.com"`}, false, true},
		{[]string{`0 issue "amazonaws.com"`, `0 issuewild ";"`}, true, false},
		{[]string{`0 issuewild "letsencrypt.org"`}, true, false},
		{[]string{"not a record"}, true, true},
	} {
		l := fact.Lookup{Type: "CAA", Answers: tt.answers}
		if plain, wild := l.LetsAmazon(false), l.LetsAmazon(true); plain != tt.plain || wild != tt.wild {
			t.Errorf("%q: %t, and %t for wildcards; want %t, %t", tt.answers, plain, wild, tt.plain, tt.wild)
		}
	}
}

// TestLookupFields: what checks of a plan see of a look-up.
func TestLookupFields(t *testing.T) {
	alias := fact.Lookup{Type: "CNAME", Answers: []string{"_Y.acm-validations.AWS."}}
	for path, want := range map[string]string{"answer": "_Y.acm-validations.AWS.", "target": "y.acm-validations.aws"} {
		if got, ok := alias.Field(path); !ok || got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	caa := fact.Lookup{Type: "CAA", Answers: []string{`0 issue "amazon.com"`, `0 issuewild ";"`}}
	for path, want := range map[string]string{"amazon": "yes", "amazon-wild": "no"} {
		if got, ok := caa.Field(path); !ok || got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, ok := caa.Field("colour"); ok {
		t.Error("a look-up has a colour")
	}
	for _, same := range []string{"_y.acm-validations.aws.", "y.acm-validations.aws", "Y.ACM-validations.aws."} {
		if fact.ValidationTarget(same) != "y.acm-validations.aws" {
			t.Errorf("%s is not the same value", same)
		}
	}
}

// TestCovers: a wildcard covers one part of a name, no more and no less.
func TestCovers(t *testing.T) {
	c := fact.ListedCertificate{Names: []string{"acme.example", "*.acme.example"}}
	for name, want := range map[string]bool{"acme.example": true, "www.acme.example": true, "*.acme.example": true, "a.b.acme.example": false, "acme.test": false} {
		if got := c.Covers(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
