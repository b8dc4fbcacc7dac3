package declaredfile_test

import (
	"testing"

	"github.com/unjam/unjam/internal/declaredfile"
)

const good = `# ours
code: acme-old-type
title: A pipeline of type V1
symptom: Triggers cannot be filtered.
severity: low
bucket: configuration
since: 1.0.0
remedy: Change the type to V2.
links:
  - https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
for: pipeline
reads: [pipeline-state]
when: subject.type == "V1" && states.exists(s, s.stages.size() > 0)
causes:
  - code: busy
    when: |
      states.exists(s,
        s.stages.exists(g, g.status == "InProgress"))
    text: It runs.
  - code: never-changed
    text: Nobody changed it.
evidence:
  - field: "{{ subject.name }}/type"
    got: subject.type
    want: V2
    class: verified
message: "{{ subject.name }} is of type {{ subject.type }}."
`

func TestParse(t *testing.T) {
	f, err := declaredfile.Parse("ours.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(f.Code, f.Reads)
}
