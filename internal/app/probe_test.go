package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit/schema"
)

const probeWorld = `# One pipeline, seen by somebody who assumes a role
account 111111111111 alias=acme-prod regions=eu-west-1,us-east-1,us-west-2
github acme owner=olga members=ada repos=acme/web
role Admin allow=*
role Reader allow=*
caller deploy role=Admin session=terraform agent=terraform
caller ada you role=Admin session=ada@acme.example
-21d deploy creates connection team-github provider=GitHub
-20d deploy completes handshake team-github as=olga org=acme
-19d deploy creates pipeline web connection=team-github repo=acme/web stages=Build
-9d  aws breaks stage web Build "Error: Cannot find module 'left-pad' of olga@acme.example in arn:aws:s3:::artifacts-111111111111"
-8d  ada starts web
-7d  deploy creates pipeline far region=us-west-2 connection=team-github repo=acme/web stages=Build
`

// meddler stands between a session and the lab.
type meddler struct {
	to     http.RoundTripper
	meddle func(operation string, r *http.Request) (*http.Response, error) // nil, nil: the lab answers
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	target := r.Header.Get("X-Amz-Target")
	if resp, err := m.meddle(target[strings.LastIndex(target, ".")+1:], r); resp != nil || err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return resp, err
	}
	return m.to.RoundTrip(r)
}

// failing is an error reply of a JSON service.
func failing(status int, code string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {"made-by-the-test"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"` + code + `","message":"said the test"}`)),
	}
}

func key(r *http.Request) string {
	k, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
	return k
}

// openAs opens an app over a transport, on top of it the role when there is one.
func (s *stage) openAs(t *testing.T, role string, over http.RoundTripper) *app.App {
	t.Helper()
	k := s.world.Default
	a, err := app.Open(t.Context(), app.Config{
		Regions: []string{s.world.DefaultRegion}, Home: t.TempDir(), Transport: over, RoleARN: role,
		Keys: &awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Source: "StaticCredentials"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

const reader = "arn:aws:iam::111111111111:role/Reader"

// What differs between the ways is the finding; each trouble is made so that one way shows it.
func TestProbe(t *testing.T) {
	for name, c := range map[string]struct {
		role   string
		meddle func() func(string, *http.Request) (*http.Response, error)
		target string
		cause  report.ProbeCause
		way    report.WayName // of the first difference
		about  string         // the operation of the first difference
		skips  report.WayName
		blind  bool // the state cannot be read at first
	}{
		"agree":     {role: reader, cause: report.NoCause},
		"same keys": {cause: report.NoCause, skips: report.FreshSession},
		"fails alike": {role: reader, cause: report.NoCause, blind: true, meddle: func() func(string, *http.Request) (*http.Response, error) {
			return func(op string, r *http.Request) (*http.Response, error) {
				if op == "GetPipelineState" {
					return failing(400, "AccessDeniedException"), nil
				}
				return nil, nil
			}
		}},
		"stale session": {role: reader, cause: report.StaleSession, way: report.FreshSession, about: "GetConnection", meddle: func() func(string, *http.Request) (*http.Response, error) {
			var mu sync.Mutex
			old := ""
			return func(op string, r *http.Request) (*http.Response, error) {
				if op != "GetConnection" {
					return nil, nil
				}
				mu.Lock()
				defer mu.Unlock()
				if old == "" {
					old = key(r)
				}
				if key(r) == old {
					return failing(400, "AccessDeniedException"), nil
				}
				return nil, nil
			}
		}},
		"regional": {role: reader, cause: report.Regional, way: report.OtherRegion, about: "GetConnection", meddle: func() func(string, *http.Request) (*http.Response, error) {
			return func(op string, r *http.Request) (*http.Response, error) {
				if op == "GetConnection" && strings.Contains(r.URL.Host, "eu-west-1") {
					return failing(500, "InternalServerException"), nil
				}
				return nil, nil
			}
		}},
		"regional service": {role: reader, cause: report.Regional, way: report.OtherRegion, about: "GetPipeline", blind: true, meddle: func() func(string, *http.Request) (*http.Response, error) {
			return func(_ string, r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Host, "codepipeline.eu-west-1") {
					return failing(500, "InternalServerException"), nil
				}
				return nil, nil
			}
		}},
		"refused here is an answer": {role: reader, cause: report.NoCause, blind: true, meddle: func() func(string, *http.Request) (*http.Response, error) {
			return func(_ string, r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Host, "codepipeline.eu-west-1") {
					return failing(400, "AccessDeniedException"), nil
				}
				return nil, nil
			}
		}},
		"closed elsewhere is no finding": {role: reader, cause: report.NoCause, meddle: func() func(string, *http.Request) (*http.Response, error) {
			return func(op string, r *http.Request) (*http.Response, error) {
				if op != "" && strings.Contains(r.URL.Host, "us-east-1") && op != "ListRegions" && !strings.Contains(r.URL.Host, "health") {
					return failing(400, "AccessDeniedException"), nil
				}
				return nil, nil
			}
		}},
		"race": {role: reader, cause: report.Race, way: report.AtOnce, about: "GetPipeline", meddle: func() func(string, *http.Request) (*http.Response, error) {
			var mu sync.Mutex
			running := 0
			return func(op string, _ *http.Request) (*http.Response, error) {
				if op != "GetPipeline" {
					return nil, nil
				}
				mu.Lock()
				running++
				many := running > 2
				mu.Unlock()
				time.Sleep(10 * time.Millisecond)
				mu.Lock()
				running--
				mu.Unlock()
				if many {
					return failing(400, "ThrottlingException"), nil
				}
				return nil, nil
			}
		}},
		"passing": {role: reader, cause: report.Race, blind: true, way: report.AsNowAgain, about: "GetPipelineState", meddle: func() func(string, *http.Request) (*http.Response, error) {
			var times atomic.Int32
			return func(op string, _ *http.Request) (*http.Response, error) {
				if op == "GetPipelineState" && times.Add(1) == 1 {
					return failing(500, "InternalServerException"), nil
				}
				return nil, nil
			}
		}},
		"connection": {role: reader, cause: report.NoCause, target: "team-github"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, "probe.world", []byte(probeWorld))
				var over http.RoundTripper = s.lab
				if c.meddle != nil {
					over = meddler{s.lab, c.meddle()}
				}
				on := "web"
				if c.target != "" {
					on = s.world.ARN(c.target)
				}
				d, err := s.openAs(t, c.role, over).Probe(t.Context(), target(t, on)[0], nil)
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				if err := report.JSON(&b, d); err != nil {
					t.Fatal(err)
				}
				schema.ValidateSelf(t, b.Bytes())
				if d.Cause != c.cause || d.Text == "" || (c.cause == report.NoCause) != (len(d.Differences) == 0) {
					t.Fatalf("cause %s, want %s\n%s", d.Cause, c.cause, b.String())
				}
				if c.way != "" && (d.Differences[0].Way != c.way || d.Differences[0].Operation != c.about || len(d.Differences[0].RequestIDs) != 2) {
					t.Errorf("difference %+v", d.Differences[0])
				}
				for _, w := range d.Ways {
					if (w.Skipped != "") != (w.Name == c.skips) || (w.Skipped == "") != (len(w.Reads) > 0) {
						t.Errorf("way %s: skipped %q, %d reads", w.Name, w.Skipped, len(w.Reads))
					}
				}
				if on == "web" && !c.blind && (len(d.Symptoms) != 1 || d.Symptoms[0].Stage != "Build") {
					t.Errorf("symptoms %+v", d.Symptoms)
				}
			})
		})
	}
}

// A pipeline that is somewhere else is said to be there.
func TestProbeElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "probe.world", []byte(probeWorld))
		a := s.openAs(t, "", s.lab)
		_, err := a.Probe(t.Context(), target(t, "far")[0], nil)
		var none *app.NotFoundError
		if !errors.As(err, &none) || len(none.Elsewhere) != 1 || none.Elsewhere[0] != "us-west-2" || !strings.Contains(err.Error(), "--region us-west-2") {
			t.Errorf("got %v", err)
		}
		_, err = a.Diagnose(t.Context(), app.Ask{Targets: target(t, "far")}, faults.All(), nil)
		if !errors.As(err, &none) || len(none.Elsewhere) != 1 {
			t.Errorf("diagnose: %v", err)
		}
	})
}

// Neither form of the text holds a key, a token or a person's name; the public one no account ID either. Both hold what is needed.
func TestSupportTellsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "probe.world", []byte(probeWorld))
		var mu sync.Mutex
		keys := map[string]bool{}
		over := meddler{s.lab, func(op string, r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			keys[key(r)], keys[r.Header.Get("X-Amz-Security-Token")] = true, true
			if op == "GetConnection" {
				resp := failing(400, "AccessDeniedException")
				resp.Body = io.NopCloser(strings.NewReader(`{"__type":"AccessDeniedException","message":"User: arn:aws:sts::111111111111:assumed-role/Reader/ada@acme.example with ` + key(r) + ` is not authorized to perform: codeconnections:GetConnection on resource: ` + s.world.ARN("team-github") + `"}`))
				return resp, nil
			}
			return nil, nil
		}}
		for _, role := range []string{"", reader} {
			d, err := s.openAs(t, role, over).Probe(t.Context(), target(t, "web")[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []report.Form{report.ForSupport, report.ForPublic} {
				var b bytes.Buffer
				if err := report.Support(&b, d, form); err != nil {
					t.Fatal(err)
				}
				text := b.String()
				k := s.world.Default
				for secret := range keys {
					if secret != "" && strings.Contains(text, secret) {
						t.Errorf("%s: the text holds %q", form, secret)
					}
				}
				for _, never := range []string{k.SecretAccessKey, "ada@", "olga@", "acme.example"} {
					if strings.Contains(text, never) {
						t.Errorf("%s: the text holds %q\n%s", form, never, text)
					}
				}
				if got := regexp.MustCompile(`\b\d{12}\b`).MatchString(withoutUUIDs(text)); got != (form == report.ForSupport) {
					t.Errorf("%s: account IDs in it: %v\n%s", form, got, text)
				}
				want := []string{"Subject: pipeline web in eu-west-1: Build/", "Service: AWS CodePipeline", "codepipeline:GetPipelineState", "What was ruled out", "AWS Health", "left-pad", "1111", d.Ways[0].Reads[0].RequestID}
				for _, w := range want {
					if !strings.Contains(text, w) {
						t.Errorf("%s: the text lacks %q\n%s", form, w, text)
					}
				}
			}
		}
	})
}

func withoutUUIDs(text string) string {
	return regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(text, "")
}

// A name that is not there comes with those that look like it.
func TestNearNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, "probe.world", []byte(probeWorld))
		a := s.openAs(t, "", s.lab)
		for typed, want := range map[string]string{"weeb": "web", "wbe": "web", "WEB": "web", "webshop": "web", "other": ""} {
			_, err := a.Diagnose(t.Context(), app.Ask{Targets: target(t, typed)}, faults.All(), nil)
			var none *app.NotFoundError
			if !errors.As(err, &none) || strings.Join(none.Near, " ") != want {
				t.Errorf("%s: %v, %v", typed, err, fmt.Sprint(none))
			}
		}
	})
}
