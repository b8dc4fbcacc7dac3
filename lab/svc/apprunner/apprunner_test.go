package apprunner_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/apprunner"
	"github.com/aws/aws-sdk-go-v2/service/apprunner/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/apprunner"
)

const (
	account    = "111111111111"
	connection = "arn:aws:codeconnections:eu-west-1:111111111111:connection/01234567-89ab-4cde-8f01-23456789abcd"
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
)

// client is the service's own client on a lab, as a user who may do what the policy's statement says.
func client(t *testing.T, l *lab.Lab, name, region, statement string) *sdk.Client {
	t.Helper()
	k := &cloud.Caller{Name: name, AccessKeyID: "AKIALAB" + strings.ToUpper(name), SecretAccessKey: "secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: account})
		if _, err := l.IAM.CreateUser(account, name, "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(account, name, "own", `{"Version":"2012-10-17","Statement":`+statement+`}`); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(account, name)
		l.Cloud.AddCaller(k)
	})
	return sdk.NewFromConfig(aws.Config{Region: region, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")})
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestOnlyTheDescriptionNamesTheConnection(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	l.Cloud.PageSize = 2
	c, abroad, ctx := client(t, l, "ada", "eu-west-1", everything), client(t, l, "eve", "us-east-1", everything), t.Context()
	var own apprunner.Connection
	l.Cloud.Within(func() {
		var err error
		if own, err = l.Apps.AddConnection(apprunner.Connection{Account: account, Region: "eu-west-1", Name: "own-github", Provider: "GITHUB", Status: "AVAILABLE"}); err != nil {
			t.Fatal(err)
		}
		for name, arn := range map[string]string{"shop": connection, "blog": own.ARN(), "docs": connection} {
			if _, err := l.Apps.AddApp(apprunner.App{Account: account, Region: "eu-west-1", Name: name, Connection: arn, Repository: "https://github.com/acme/" + name, Branch: "main", Manual: name == "docs"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"shop", "x", "-shop", strings.Repeat("x", 41)} {
			if _, err := l.Apps.AddApp(apprunner.App{Account: account, Region: "eu-west-1", Name: name}); err == nil {
				t.Errorf("there is a service %q", name)
			}
		}
	})
	found := map[string]types.Service{}
	n := 0
	for pages := sdk.NewListServicesPaginator(c, &sdk.ListServicesInput{}); pages.HasMorePages(); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.ServiceSummaryList {
			out, err := c.DescribeService(ctx, &sdk.DescribeServiceInput{ServiceArn: s.ServiceArn})
			if err != nil {
				t.Fatal(err)
			}
			found[*s.ServiceName] = *out.Service
		}
	}
	for name, want := range map[string]string{"shop": connection, "blog": own.ARN(), "docs": connection} {
		s := found[name].SourceConfiguration
		if s == nil || *s.AuthenticationConfiguration.ConnectionArn != want || *s.AutoDeploymentsEnabled == (name == "docs") || *s.CodeRepository.SourceCodeVersion.Value != "main" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if n != 2 || len(found) != 3 {
		t.Errorf("%d pages, %d services", n, len(found))
	}
	list, err := c.ListConnections(ctx, &sdk.ListConnectionsInput{})
	if err != nil || len(list.ConnectionSummaryList) != 1 || *list.ConnectionSummaryList[0].ConnectionArn != own.ARN() || list.ConnectionSummaryList[0].Status != types.ConnectionStatusAvailable {
		t.Errorf("own connections: %v, %v", list, err)
	}
	if out, err := abroad.ListServices(ctx, nil); err != nil || len(out.ServiceSummaryList) != 0 {
		t.Errorf("in another Region: %v, %v", out, err)
	}
	if _, err := abroad.DescribeService(ctx, &sdk.DescribeServiceInput{ServiceArn: found["shop"].ServiceArn}); code(err) != "ResourceNotFoundException" {
		t.Errorf("described from another Region: %v", err)
	}
	if _, err := c.ListServices(ctx, &sdk.ListServicesInput{MaxResults: aws.Int32(21)}); code(err) != "InvalidRequestException" {
		t.Errorf("pages of 21: %v", err)
	}
}

func TestWhoMayDescribeAService(t *testing.T) {
	l := lab.New()
	var shop, blog apprunner.App
	l.Cloud.Within(func() {
		var err [2]error
		shop, err[0] = l.Apps.AddApp(apprunner.App{Account: account, Region: "eu-west-1", Name: "shop", Connection: connection})
		blog, err[1] = l.Apps.AddApp(apprunner.App{Account: account, Region: "eu-west-1", Name: "blog", Connection: connection})
		if err := errors.Join(err[:]...); err != nil {
			t.Fatal(err)
		}
	})
	c, ctx := client(t, l, "bert", "eu-west-1", `{"Effect":"Allow","Action":"apprunner:DescribeService","Resource":"`+shop.ARN()+`"}`), t.Context()
	for arn, want := range map[string]string{shop.ARN(): "<nil>", blog.ARN(): "AccessDeniedException"} {
		_, err := c.DescribeService(ctx, &sdk.DescribeServiceInput{ServiceArn: &arn})
		if code(err) != want || err != nil && !strings.Contains(err.Error(), "apprunner:DescribeService on resource: "+blog.ARN()) {
			t.Errorf("%s: %v, want %s", arn, err, want)
		}
	}
	if _, err := c.ListServices(ctx, nil); code(err) != "AccessDeniedException" {
		t.Errorf("listed: %v", err)
	}
}
