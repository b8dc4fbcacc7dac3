package codegurureviewer_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/codegurureviewer"
	"github.com/aws/aws-sdk-go-v2/service/codegurureviewer/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/codegurureviewer"
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

func TestAssociationsNameTheirConnections(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	l.Cloud.PageSize = 1
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	l.Cloud.Within(func() {
		for _, a := range []codegurureviewer.Association{
			{Account: account, Region: "eu-west-1", Connection: connection, ProviderType: "GitHub", Repository: "acme/web"},
			{Account: account, Region: "eu-west-1", Connection: connection, ProviderType: "Bitbucket", Repository: "acme/api", State: "Failed"},
			{Account: account, Region: "us-east-1", Connection: connection, ProviderType: "GitHub", Repository: "acme/web"},
		} {
			if _, err := l.Reviews.Associate(a); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Reviews.Associate(codegurureviewer.Association{ProviderType: "GitLab", Repository: "acme/web"}); err == nil {
			t.Error("a repository at GitLab is associated")
		}
	})
	names := func(in sdk.ListRepositoryAssociationsInput) string {
		t.Helper()
		var all []string
		for pages := sdk.NewListRepositoryAssociationsPaginator(c, &in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.RepositoryAssociationSummaries {
				all = append(all, *s.Name)
				out, err := c.DescribeRepositoryAssociation(ctx, &sdk.DescribeRepositoryAssociationInput{AssociationArn: s.AssociationArn})
				if err != nil || *out.RepositoryAssociation.ConnectionArn != connection || *s.ConnectionArn != connection {
					t.Errorf("%s: %v, %v", *s.Name, out, err)
				}
			}
		}
		return strings.Join(all, " ")
	}
	for want, in := range map[string]sdk.ListRepositoryAssociationsInput{
		"api web": {States: []types.RepositoryAssociationState{types.RepositoryAssociationStateAssociated, types.RepositoryAssociationStateFailed}},
		"web":     {States: []types.RepositoryAssociationState{types.RepositoryAssociationStateAssociated}},
		"api":     {ProviderTypes: []types.ProviderType{types.ProviderTypeBitbucket}, Owners: []string{"acme"}},
		"":        {Names: []string{"other"}},
	} {
		if got := names(in); got != want {
			t.Errorf("listed %q, want %q", got, want)
		}
	}
	if _, err := c.ListRepositoryAssociations(ctx, &sdk.ListRepositoryAssociationsInput{MaxResults: aws.Int32(101)}); code(err) != "ValidationException" {
		t.Errorf("pages of 101: %v", err)
	}
	none := aws.String("arn:aws:codeguru-reviewer:eu-west-1:111111111111:association:00000000-0000-4000-a000-000000000000")
	if _, err := c.DescribeRepositoryAssociation(ctx, &sdk.DescribeRepositoryAssociationInput{AssociationArn: none}); code(err) != "NotFoundException" {
		t.Errorf("one that is not there: %v", err)
	}
	bert := client(t, l, "bert", "eu-west-1", `{"Effect":"Allow","Action":"codeguru-reviewer:List*","Resource":"*"}`)
	if _, err := bert.DescribeRepositoryAssociation(ctx, &sdk.DescribeRepositoryAssociationInput{AssociationArn: none}); code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), *none) {
		t.Errorf("without permission: %v", err)
	}
}
