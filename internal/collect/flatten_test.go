package collect

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/fact"
)

func flat(t testing.TB, s sealer, text string) fact.Values {
	t.Helper()
	v, err := s.flatten([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Objects in lists are named by what names them, so that an inserted stage does not change the path of every later one.
func TestFlatten(t *testing.T) {
	v := flat(t, newSealer(), `{"name":"web","stages":[{"name":"Source","actions":[{"name":"Git","configuration":{"BranchName":"main"},"runOrder":1}]},{"name":"Build","actions":[]}],
		"inputs":[{"a":1},{"a":2}],"on":true,"nothing":null}`)
	for path, want := range map[string]string{
		"name": "web", "stages/Source/name": "Source", "stages/Source/actions/Git/configuration/BranchName": "main", "stages/Source/actions/Git/runOrder": "1",
		"stages/Build/name": "Build", "inputs/0/a": "1", "inputs/1/a": "2", "on": "true",
	} {
		if got := v.Text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if _, there := v["nothing"]; there {
		t.Error("null says something")
	}
	if _, err := newSealer().flatten([]byte(`{"a":`)); err == nil {
		t.Error("half a document was read")
	}
	if _, err := newSealer().flatten([]byte(strings.Repeat(`[`, 60) + strings.Repeat(`]`, 60))); err == nil {
		t.Error("a document 60 deep was read")
	}
	if _, err := newSealer().flatten([]byte(`{"` + strings.Repeat("k", maxPath+1) + `":[[1],[2]]}`)); err == nil {
		t.Error("a path of more than 4096 bytes was kept")
	}
	if _, err := newSealer().flatten([]byte(`[` + strings.Repeat(`1,`, maxPaths+2) + `1]`)); err == nil {
		t.Error("a document of too many values was read")
	}
}

// What is or may be a secret is sealed: by its name, by how it looks, the plain variables of a build. Equal ones stay equal, others differ.
func TestSecretsAreSealed(t *testing.T) {
	s := newSealer()
	v := flat(t, s, `{"OAuthToken":"canary-1","a":{"DbPassword":"canary-2"},"key":"AKIAIOSFODNN7CANARY1","url":"https://ada:canary-3@git.example/x","pem":"-----BEGIN CANARY",
		"pat":"ghp_canarycanarycanarycanary","commit":"0123456789abcdef0123456789abcdef01234567","EnvironmentVariables":"[{\"name\":\"A\",\"value\":\"canary-4\",\"type\":\"PLAINTEXT\"},{\"name\":\"B\",\"value\":\"/prod/b\",\"type\":\"PARAMETER_STORE\"},{\"name\":\"C\",\"value\":\"canary-5\"}]",
		"x":{"EnvironmentVariables":"canary-6"},"variables":[{"name":"TOKEN","defaultValue":"canary-7"},{"name":"BRANCH","defaultValue":"main"}],
		"environmentVariablesOverride":[{"name":"A","value":"canary-8","type":"PLAINTEXT"},{"name":"B","value":"/prod/b","type":"SECRETS_MANAGER"}],
		"parameters":[{"parameterKey":"Db","parameterValue":"canary-9"}],"ParameterOverrides":"{\"DbPassword\":\"canary-a\",\"Size\":3}","credentials":{"user":"canary-b","list":["canary-c"]},
		"UserParameters":"x=1&password=canary-d","policyDocument":"{\"Statement\":[{\"Sid\":\"S\",\"Action\":\"s3:*\"}]}"}`)
	for _, path := range []string{"OAuthToken", "a/DbPassword", "key", "url", "pem", "pat", "EnvironmentVariables/A", "EnvironmentVariables/C", "x/EnvironmentVariables",
		"variables/TOKEN/defaultValue", "environmentVariablesOverride/A/value", "parameters/0/parameterValue", "ParameterOverrides/DbPassword", "credentials/user", "credentials/list/0", "UserParameters"} {
		if x := v[path]; x.Secret == "" || x.Text != "" {
			t.Errorf("%s is kept as %q", path, x.Text)
		}
	}
	for path, want := range map[string]string{"commit": "0123456789abcdef0123456789abcdef01234567", "EnvironmentVariables/B": "PARAMETER_STORE /prod/b", "variables/BRANCH/defaultValue": "main",
		"environmentVariablesOverride/B/value": "/prod/b", "ParameterOverrides/Size": "3", "policyDocument/Statement/S/Action": "s3:*"} {
		if v.Text(path) != want {
			t.Errorf("%s is %q, want %q", path, v.Text(path), want)
		}
	}
	if b, _ := json.Marshal(v); strings.Contains(strings.ToLower(string(b)), "canary") || strings.Contains(string(b), string(v["OAuthToken"].Secret)) {
		t.Errorf("written: %s", b)
	}
	again := flat(t, s, `{"OAuthToken":"canary-1"}`)
	other := flat(t, s, `{"OAuthToken":"canary-9"}`)
	if v["OAuthToken"] != again["OAuthToken"] || v["OAuthToken"] == other["OAuthToken"] {
		t.Error("equal secrets must compare equal, others must not")
	}
	if foreign := flat(t, newSealer(), `{"OAuthToken":"canary-1"}`); foreign["OAuthToken"] == v["OAuthToken"] {
		t.Error("the key is the same in every process")
	}
}

// A long text is cut, and still differs from another that begins alike; what it differs by is not written.
func TestLongTextsAreCut(t *testing.T) {
	s := newSealer()
	head := strings.Repeat("x", maxValue)
	a, b := flat(t, s, `{"a":"`+head+`1"}`)["a"], flat(t, s, `{"a":"`+head+`2"}`)["a"]
	if a == b || a.Text != b.Text || len(a.Text) > maxValue+3 || a != flat(t, s, `{"a":"`+head+`1"}`)["a"] {
		t.Errorf("%+v, %+v", a, b)
	}
	if text, _ := a.MarshalText(); string(text) != head+"..." {
		t.Errorf("written: %s", text)
	}
}

// The differences from one document to another turn the one into the other; a document does not differ from itself.
func TestDiff(t *testing.T) {
	values := rapid.Custom(func(t *rapid.T) fact.Values {
		v := fact.Values{}
		for k, x := range rapid.MapOf(rapid.StringMatching(`[a-c](/[a-c]){0,2}`), rapid.StringMatching(`[x-z]{0,2}`)).Draw(t, "values") {
			v[k] = fact.Value{Text: x}
		}
		return v
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		if d := fact.Diff(a, a); len(d) > 0 {
			t.Fatalf("it differs from itself: %v", d)
		}
		got := fact.Values{}
		for k, v := range a {
			got[k] = v
		}
		for _, d := range fact.Diff(a, b) {
			if d.Gone {
				delete(got, d.Path)
			} else {
				got[d.Path] = d.After
			}
		}
		if d := fact.Diff(got, b); len(d) > 0 {
			t.Fatalf("the differences do not lead from %v to %v: %v", a, b, d)
		}
	})
}

// FuzzFlatten takes any document: items of AWS Config, bodies of CloudTrail and definitions go through it.
func FuzzFlatten(f *testing.F) {
	f.Add([]byte(`{"pipeline":{"name":"web","stages":[{"name":"Source","actions":[{"name":"Git","configuration":{"OAuthToken":"****"}}]}]},"metadata":{"created":"2026-01-01"}}`))
	f.Add([]byte(`{"configuration":"{\"pipeline\":{\"stages\":[{\"name\":\"a\"},{\"name\":\"a\"}]}}","supplementaryConfiguration":{}}`))
	f.Add([]byte(`{"rolePolicyList":[{"policyName":"p","policyDocument":"%7B%22Statement%22%3A%5B%5D%7D"}],"EnvironmentVariables":"[{\"name\":\"A\",\"value\":1}]"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := sealer{}.flatten(raw)
		if err != nil && v != nil {
			t.Errorf("values beside the error %v", err)
		}
		if len(v) > maxPaths+1 {
			t.Errorf("%d values", len(v))
		}
		for path, x := range v {
			if len(x.Text) > maxValue+64 || (x.Text != "" && x.Secret != "") {
				t.Errorf("%s is %d bytes, %q", path, len(x.Text), x.Secret)
			}
		}
	})
}

func FuzzParseDecoded(f *testing.F) {
	f.Add([]byte(`{"allowed":false,"explicitDeny":true,"context":{"principal":{"arn":"arn:aws:sts::1:assumed-role/r/s"},"action":"ec2:RunInstances","resource":"arn:aws:ec2:::x"}}`))
	f.Add([]byte(`{"context":{"principal":7}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := ParseDecoded(raw)
		if err != nil && d.Action != "" {
			t.Errorf("%+v beside the error %v", d, err)
		}
	})
}
