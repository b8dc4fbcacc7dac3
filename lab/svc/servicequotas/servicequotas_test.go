package servicequotas_test

import (
	"errors"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/svc/servicequotas"
)

const account = "111111111111"

func quotas(c *cloud.Cloud) func(op, region string, in map[string]any) (map[string]any, error) {
	return func(op, region string, in map[string]any) (out map[string]any, err error) {
		c.Within(func() {
			out, err = c.Serve(&cloud.Request{Service: "servicequotas", Operation: op, Region: region, In: in, Caller: iam.RootPrincipal(account)})
		})
		return out, err
	}
}

func value(out map[string]any) float64 {
	q, _ := out["Quota"].(map[string]any)
	v, _ := q["Value"].(float64)
	return v
}

func TestAnIncreaseIsSeenBesideTheDefault(t *testing.T) {
	c := cloud.New()
	servicequotas.New(c)
	call := quotas(c)
	in := map[string]any{"ServiceCode": "codepipeline", "QuotaCode": "L-78D200AD"}
	c.SetLimit(account, "us-east-1", "L-78D200AD", 1500)
	for _, tt := range []struct {
		op, region string
		want       float64
	}{
		{"GetServiceQuota", "us-east-1", 1500}, {"GetServiceQuota", "eu-west-1", 1000}, {"GetAWSDefaultServiceQuota", "us-east-1", 1000},
	} {
		if out, err := call(tt.op, tt.region, in); err != nil || value(out) != tt.want {
			t.Errorf("%s in %s: %v, %v; want %v", tt.op, tt.region, out, err, tt.want)
		}
	}
}

func TestPages(t *testing.T) {
	c := cloud.New()
	servicequotas.New(c)
	call, seen := quotas(c), map[string]bool{}
	in := map[string]any{"ServiceCode": "codepipeline", "MaxResults": 4.0}
	for pages := 0; ; pages++ {
		out, err := call("ListServiceQuotas", "us-east-1", in)
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		for _, q := range out["Quotas"].([]map[string]any) {
			seen[q["QuotaCode"].(string)] = true
		}
		if out["NextToken"] == nil {
			break
		}
		in["NextToken"] = out["NextToken"]
	}
	if len(seen) != 9 || !seen["L-519D5A90"] {
		t.Errorf("codes %v", seen)
	}
}

func TestConnectionsHaveNoQuotasHere(t *testing.T) {
	c := cloud.New()
	servicequotas.New(c)
	call := quotas(c)
	for _, in := range []map[string]any{
		{"ServiceCode": "codeconnections", "QuotaCode": "L-78D200AD"}, {"ServiceCode": "codestar-connections", "QuotaCode": "L-1"}, {"ServiceCode": "codepipeline", "QuotaCode": "L-1"},
	} {
		_, err := call("GetServiceQuota", "us-east-1", in)
		var e *cloud.Error
		if !errors.As(err, &e) || e.Code != "NoSuchResourceException" {
			t.Errorf("%v: %v", in, err)
		}
	}
}
