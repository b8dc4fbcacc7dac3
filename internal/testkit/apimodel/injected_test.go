package apimodel_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// TestInjected: what the lab injects in the name of AWS is well-formed in every protocol, and what it breaks on purpose is
// counted as broken or lost instead of passing as checked.
func TestInjected(t *testing.T) {
	for kind, want := range map[string]struct{ errors, broken, lost int }{
		lab.Denied: {errors: 4}, lab.Throttled: {errors: 4}, lab.Expired: {errors: 4}, lab.Unknown: {errors: 4}, lab.Slow: {},
		lab.HTML: {broken: 4}, lab.HTML503: {broken: 4}, lab.Reset: {lost: 4}, lab.Timeout: {lost: 4},
		lab.Half: {}, lab.LostReply: {}, // what the service answered is checked, whatever became of it on its way
	} {
		t.Run(kind, func(t *testing.T) {
			l := lab.New()
			v := apimodel.Attach(t, l)
			k := &cloud.Caller{Name: "root", AccessKeyID: "AKIAROOTEXAMPLE00001", SecretAccessKey: "s",
				Principal: cloud.Principal{Type: "Root", Account: "111111111111", ARN: "arn:aws:iam::111111111111:root", Source: "arn:aws:iam::111111111111:root", UserID: "111111111111"}}
			l.Cloud.Within(func() {
				l.Cloud.AddAccount(&cloud.Account{ID: k.Account})
				l.Cloud.AddCaller(k)
				l.Cloud.Injections = []*cloud.Injection{{Kind: kind, Delay: time.Millisecond}}
			})
			c := aws.Config{Region: "us-east-1", HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
				Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")}
			errs := 0
			count := func(err error) {
				if err != nil {
					errs++
				}
			}
			_, err := codeconnections.NewFromConfig(c).ListConnections(t.Context(), nil)
			count(err)
			_, err = codepipeline.NewFromConfig(c).ListPipelines(t.Context(), nil)
			count(err)
			_, err = iam.NewFromConfig(c).ListRoles(t.Context(), nil)
			count(err)
			_, err = account.NewFromConfig(c).ListRegions(t.Context(), &account.ListRegionsInput{})
			count(err)
			r := v.Report()
			n := 0
			for _, c := range r.Operations {
				n += c.Errors
			}
			if r.Exchanges != 4 || n != want.errors || r.Broken != want.broken || r.Lost != want.lost {
				t.Errorf("report: %v", r)
			}
			if (errs == 0) != (kind == lab.Slow) {
				t.Errorf("%d of 4 calls failed", errs)
			}
		})
	}
}
