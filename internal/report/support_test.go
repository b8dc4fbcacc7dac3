package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
)

// What must not leave is left out wherever AWS's texts carry it; what helps stays, UUIDs that look like account IDs too.
func TestRedaction(t *testing.T) {
	const id, uuid = "111122223333", "01234567-89ab-cdef-0123-111122223333"
	texts := []string{
		"User: arn:aws:sts::" + id + ":assumed-role/Ops/ana.smith is not authorized", "arn:aws:iam::" + id + ":user/team/bert", "arn:aws:sts::" + id + ":federated-user/carl",
		"pushed by dora@acme.example", "key AKIAIOSFODNN7EXAMPLE", "bucket codepipeline-eu-west-1-" + id, "request " + uuid, "said ana.smith, again",
	}
	d := report.Probe{
		Subject:  fault.Subject{Kind: "pipeline", Name: "web", ARN: "arn:aws:codepipeline:eu-west-1:" + id + ":web", Region: "eu-west-1"},
		Identity: report.Identity{Account: id, ARN: "arn:aws:sts::" + id + ":assumed-role/Ops/ana.smith", Kind: "assumed-role"},
		Ways:     []report.Way{{Name: report.AsNow, What: "As now", Reads: []report.Read{{Operation: "GetPipeline", Outcome: report.Answered}}}}, Health: "nothing",
	}
	for _, x := range texts {
		d.Symptoms = append(d.Symptoms, report.Symptom{Stage: "Build", Action: "Build", Text: x})
	}
	for _, form := range []report.Form{report.ForSupport, report.ForPublic} {
		var b bytes.Buffer
		if err := report.Support(&b, d, form); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		for _, never := range []string{"ana.smith", "bert", "carl", "dora", "acme.example", "AKIA"} {
			if strings.Contains(got, never) {
				t.Errorf("%s: %q is in it\n%s", form, never, got)
			}
		}
		if !strings.Contains(got, "request "+uuid) || !strings.Contains(got, "assumed-role/Ops/") || !strings.Contains(got, "3333") {
			t.Errorf("%s: what helps is gone\n%s", form, got)
		}
		if strings.Contains(strings.ReplaceAll(got, uuid, ""), id) != (form == report.ForSupport) {
			t.Errorf("%s: account ID\n%s", form, got)
		}
	}
}
