package account_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/account"
)

func lists(regions map[string]string, caller string) func(in map[string]any) ([]string, string, error) {
	c := cloud.New()
	account.New(c)
	c.AddAccount(&cloud.Account{ID: "111111111111", Regions: regions})
	return func(in map[string]any) ([]string, string, error) {
		out, err := c.Serve(&cloud.Request{Service: "account", Operation: "ListRegions", Region: "us-east-1", In: in, Caller: cloud.Principal{Account: caller}})
		if err != nil {
			return nil, "", err
		}
		var all []string
		for _, r := range out["Regions"].([]map[string]any) {
			all = append(all, r["RegionName"].(string)+" "+r["RegionOptStatus"].(string))
		}
		next, _ := out["NextToken"].(string)
		return all, next, nil
	}
}

func TestListRegions(t *testing.T) {
	list := lists(map[string]string{"us-east-1": "ENABLED_BY_DEFAULT", "eu-south-1": "ENABLED", "af-south-1": "DISABLED"}, "111111111111")
	all := []string{"af-south-1 DISABLED", "eu-south-1 ENABLED", "us-east-1 ENABLED_BY_DEFAULT"}
	for _, c := range []struct {
		in   map[string]any
		want []string
		next bool
	}{
		{map[string]any{}, all, false},
		{map[string]any{"AccountId": "111111111111"}, all, false},
		{map[string]any{"MaxResults": 2.0}, all[:2], true},
		{map[string]any{"MaxResults": 2.0, "NextToken": "lab-page-2"}, all[2:], false},
		{map[string]any{"RegionOptStatusContains": []any{"ENABLED", "ENABLED_BY_DEFAULT"}}, all[1:], false},
		{map[string]any{"RegionOptStatusContains": []any{"ENABLING"}}, nil, false},
	} {
		got, next, err := list(c.in)
		if err != nil || !slices.Equal(got, c.want) || (next != "") != c.next {
			t.Errorf("%v: got %v, %q, %v; want %v", c.in, got, next, err, c.want)
		}
	}
}

func TestListRegionsRefuses(t *testing.T) {
	list := lists(nil, "111111111111")
	for _, c := range []struct {
		in   map[string]any
		code string
	}{
		{map[string]any{"AccountId": "222222222222"}, cloud.AccessDenied},
		{map[string]any{"MaxResults": 51.0}, cloud.ValidationError},
		{map[string]any{"MaxResults": 0.0}, cloud.ValidationError},
		{map[string]any{"NextToken": "made up"}, cloud.ValidationError},
	} {
		_, _, err := list(c.in)
		var e *cloud.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%v: got %v; want %s", c.in, err, c.code)
		}
	}
}

// TestDefaultRegions proves that an account whose world says nothing has the Regions every account has.
func TestDefaultRegions(t *testing.T) {
	got, _, err := lists(nil, "111111111111")(map[string]any{"RegionOptStatusContains": []any{"ENABLED_BY_DEFAULT"}})
	if err != nil || len(got) != 17 {
		t.Errorf("got %d %v, %v; want 17", len(got), got, err)
	}
}
