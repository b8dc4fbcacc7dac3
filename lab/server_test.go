package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/goleak"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// TestOverTCP proves that the same lab answers over a socket, and that its server leaves nothing behind.
func TestOverTCP(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, ada := open(t)
	srv := httptest.NewServer(l)
	defer srv.Close()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	cfg := config(tr, ada)
	cfg.BaseEndpoint = aws.String(srv.URL)
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != ada.ARN {
		t.Fatalf("got %v, %v", who, err)
	}
	regions, err := account.NewFromConfig(cfg).ListRegions(t.Context(), nil)
	if err != nil || len(regions.Regions) != len(cloud.DefaultRegions()) {
		t.Fatalf("got %v, %v", regions, err)
	}
	if _, err := cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// TestFakeTime proves that the lab works in a bubble of fake time: a session of an hour ends after an hour that takes
// no time, and the latency of a call is its server's alone.
func TestFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ada := open(t)
		l.Cloud.Latency = 50 * time.Millisecond
		start := time.Now()
		out, err := sts.NewFromConfig(config(l, ada)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("ci")})
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != l.Cloud.Latency {
			t.Errorf("took %v; want the latency", d)
		}
		k := out.Credentials
		session := sts.NewFromConfig(config(l, &cloud.Caller{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken}))
		who, err := session.GetCallerIdentity(t.Context(), nil)
		if err != nil || *who.Arn != "arn:aws:sts::111111111111:assumed-role/deploy/ci" {
			t.Fatalf("got %v, %v", who, err)
		}
		time.Sleep(time.Hour)
		_, err = session.GetCallerIdentity(t.Context(), nil)
		check(t, err, "ExpiredToken", "The security token included in the request is expired")
	})
}

func TestClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ada := open(t)
		l.Cloud.Latency = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := sts.NewFromConfig(config(l, ada)).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("ci")})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if k := l.Cloud.Ledger(); len(k) != 1 || k[0].ErrorCode != "gone" {
			t.Errorf("ledger: %+v", k)
		}
		if len(l.Cloud.Callers()) != 1 {
			t.Error("the call was performed although its client had gone")
		}
	})
}

// TestRate proves that a service's own limit counts what it served in the last second, also when calls come at once.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, ada := open(t)
		l.Cloud.Latency = 300 * time.Millisecond
		trail := cloudtrail.NewFromConfig(config(l, ada))
		for range 2 {
			var wg sync.WaitGroup
			var mu sync.Mutex
			refused := 0
			for range 5 {
				wg.Go(func() {
					if _, err := trail.LookupEvents(t.Context(), nil); code(err) == "ThrottlingException" {
						mu.Lock()
						refused++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if refused != 3 {
				t.Errorf("%d of 5 calls at once refused; want 3, as 2 a second are allowed", refused)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestObserve proves that observers see an exchange as it was on the wire.
func TestObserve(t *testing.T) {
	l, ada := open(t)
	var all []lab.Exchange
	l.Observe(func(x lab.Exchange) { all = append(all, x) })
	_, _ = account.NewFromConfig(config(l, ada)).ListRegions(t.Context(), &account.ListRegionsInput{MaxResults: aws.Int32(1)})
	_, _ = account.NewFromConfig(config(l, ada)).ListRegions(t.Context(), &account.ListRegionsInput{AccountId: aws.String("222222222222")})
	if len(all) != 2 {
		t.Fatalf("%d exchanges", len(all))
	}
	x := all[0]
	if x.Service != "account" || x.Operation != "ListRegions" || x.Protocol != cloud.RESTJSON || x.Method != "POST" || x.Path != "/listRegions" ||
		string(x.RequestBody) != `{"MaxResults":1}` || x.Status != 200 || x.Header.Get("X-Amzn-Requestid") != x.RequestID ||
		string(x.Body) != `{"NextToken":"lab-page-1","Regions":[{"RegionName":"af-south-1","RegionOptStatus":"DISABLED"}]}` || x.ErrorCode != "" {
		t.Errorf("%+v", x)
	}
	x = all[1]
	if x.Status != 403 || x.ErrorCode != "AccessDeniedException" || !strings.HasPrefix(x.Header.Get("X-Amzn-Errortype"), "AccessDeniedException:") || !strings.HasPrefix(string(x.Body), `{"message":"User: `) {
		t.Errorf("%+v %s", x, x.Body)
	}
}

// target overwrites X-Amz-Target before signing, as another client would send it.
func target(value string) func(*cloudtrail.Options) {
	return func(o *cloudtrail.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Build.Add(middleware.BuildMiddlewareFunc("target", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
				in.Request.(*smithyhttp.Request).Header.Set("X-Amz-Target", value)
				return next.HandleBuild(ctx, in)
			}), middleware.After)
		})
	}
}

// TestTargets proves that both spellings of a target are served and that a target of another service is not.
func TestTargets(t *testing.T) {
	l, ada := open(t)
	for value, want := range map[string]string{
		"CloudTrail_20131101.LookupEvents":                                     "",
		"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents":  "",
		"CloudTrail_20131101.StopLogging":                                      "UnknownOperationException",
		"CodePipeline_20150709.LookupEvents":                                   "UnknownOperationException",
		"LookupEvents":                                                         "UnknownOperationException",
		"com.amazonaws.codeconnections.CodeConnections_20231201.GetConnection": "UnknownOperationException",
	} {
		_, err := cloudtrail.NewFromConfig(config(l, ada), target(value)).LookupEvents(t.Context(), nil)
		check(t, err, want, "")
	}
}

// TestConsoleOperation proves that what only the console can do is unknown to API clients.
func TestConsoleOperation(t *testing.T) {
	l, ada := open(t)
	l.Cloud.Service("cloudtrail").Ops["LookupEvents"].Console = true
	l.Cloud.Service("sts").Ops["GetCallerIdentity"].Console = true
	l.Cloud.Service("account").Ops["ListRegions"].Console = true
	cfg := config(l, ada)
	_, err := cloudtrail.NewFromConfig(cfg).LookupEvents(t.Context(), nil)
	check(t, err, "UnknownOperationException", "")
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	check(t, err, "InvalidAction", "Could not find operation GetCallerIdentity for version 2011-06-15")
	_, err = account.NewFromConfig(cfg).ListRegions(t.Context(), nil)
	check(t, err, "UnknownOperationException", "")
}

func TestUnknownService(t *testing.T) {
	l := lab.New()
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", "Kendra_20190203.Query")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/kendra/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "The lab does not serve kendra.") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestInfo proves that the lab's own page tells what a client needs to sign, in-process and over TCP alike.
func TestInfo(t *testing.T) {
	l, ada := open(t)
	if _, err := sts.NewFromConfig(config(l, ada)).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(l)
	defer srv.Close()
	for name, client := range map[string]*http.Client{"in-process": {Transport: l}, "tcp": srv.Client()} {
		resp, err := client.Get(srv.URL + "/_lab/")
		if err != nil {
			t.Fatal(err)
		}
		var got lab.Info
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(got.Accounts) != 1 || got.Accounts[0].ID != id || len(got.Callers) != 1 || got.Callers[0].SecretAccessKey != ada.SecretAccessKey ||
			len(got.Ledger) != 1 || got.Ledger[0].Operation != "GetCallerIdentity" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	resp, err := (&http.Client{Transport: l}).Post(srv.URL+"/_lab/", "", nil)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", resp, err)
	}
}

// TestConsoleMount proves that console pages are reached without a signature, in-process and over TCP alike.
func TestConsoleMount(t *testing.T) {
	l := lab.New()
	l.Console = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, r.FormValue("as"))
	})
	srv := httptest.NewServer(l)
	defer srv.Close()
	for _, client := range []*http.Client{{Transport: l}, srv.Client()} {
		resp, err := client.PostForm(srv.URL+"/codesuite/settings/connections", map[string][]string{"as": {"ada"}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(page) != "POST /codesuite/settings/connections ada" || resp.StatusCode != 200 {
			t.Errorf("got %d %q, %v", resp.StatusCode, page, err)
		}
	}
	if len(l.Cloud.Ledger()) != 0 {
		t.Error("a console page is in the ledger of API calls")
	}
}

// TestManyAtOnce is for the race detector: clients of two services, an observer and a reader at the same time.
func TestManyAtOnce(t *testing.T) {
	l, ada := open(t)
	var mu sync.Mutex
	seen := 0
	l.Observe(func(lab.Exchange) { mu.Lock(); seen++; mu.Unlock() })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				_, _ = sts.NewFromConfig(config(l, ada)).GetCallerIdentity(t.Context(), nil)
				_, _ = codepipeline.NewFromConfig(config(l, ada)).ListPipelines(t.Context(), nil)
				l.Info()
			}
		})
	}
	wg.Wait()
	if len(l.Cloud.Ledger()) != 80 || seen != 80 {
		t.Errorf("%d calls in the ledger, %d observed; want 80", len(l.Cloud.Ledger()), seen)
	}
}
