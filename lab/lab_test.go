package lab_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const (
	id   = "111111111111"
	role = "arn:aws:iam::" + id + ":role/ops/deploy"
)

// open returns a lab with one account and one caller who may do anything. Every exchange is held against the API models.
func open(t *testing.T) (*lab.Lab, *cloud.Caller) {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	ada := &cloud.Caller{Name: "ada", AccessKeyID: "AKIALABADA0000000001", SecretAccessKey: "ada-secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: id, Alias: "example"})
		if _, err := l.IAM.CreateUser(id, "ada", "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(id, "ada", "all", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`); err != nil {
			t.Fatal(err)
		}
		if _, err := l.IAM.CreateRole(id, "deploy", "/ops/", ""); err != nil {
			t.Fatal(err)
		}
		ada.Principal = l.IAM.UserPrincipal(id, "ada")
		l.Cloud.AddCaller(ada)
	})
	return l, ada
}

// config is that of an unmodified SDK client whose transport is the lab; calls are tried once.
func config(l http.RoundTripper, k *cloud.Caller) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	}
}

func TestCallerIdentity(t *testing.T) {
	l, ada := open(t)
	out, err := sts.NewFromConfig(config(l, ada)).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != id || *out.Arn != ada.ARN || *out.UserId != ada.UserID {
		t.Errorf("got %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
	var want []cloud.Call
	got := l.Cloud.Ledger()
	want = append(want, cloud.Call{Service: "sts", Operation: "GetCallerIdentity", Account: id, Region: "us-east-1", Caller: ada.ARN, ReadOnly: true, In: map[string]any{}})
	for i := range got {
		if got[i].RequestID == "" || got[i].Start.IsZero() || got[i].End.Before(got[i].Start) {
			t.Errorf("entry %d has no identity or no time: %+v", i, got[i])
		}
		got[i].RequestID, got[i].Start, got[i].End = "", time.Time{}, time.Time{}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestListRegionsPages(t *testing.T) {
	l, ada := open(t)
	p := account.NewListRegionsPaginator(account.NewFromConfig(config(l, ada)), &account.ListRegionsInput{
		MaxResults:              aws.Int32(5),
		RegionOptStatusContains: []accounttypes.RegionOptStatus{accounttypes.RegionOptStatusEnabledByDefault},
	})
	pages, regions := 0, map[string]bool{}
	for p.HasMorePages() {
		page, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, r := range page.Regions {
			regions[*r.RegionName] = true
		}
	}
	if pages != 4 || len(regions) != 17 || !regions["us-east-1"] || regions["eu-south-1"] {
		t.Errorf("%d pages, %d regions %v; want 4 pages with the 17 Regions that are on by default", pages, len(regions), regions)
	}
}
