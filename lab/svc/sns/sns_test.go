package sns_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

const account = "111111111111"

// client is SNS's own client on a lab, as a user who may do what the policy's statement says.
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

const everything = `{"Effect":"Allow","Action":"sns:*","Resource":"*"}`

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestWhatIsPublishedIsKept(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	out, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("alarms"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("alarms")}); err != nil || *again.TopicArn != *out.TopicArn {
		t.Errorf("created twice: %v, %v", again, err)
	}
	if _, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("alarms"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("api")}}}); code(err) != "InvalidParameter" {
		t.Errorf("created with other tags: %v", err)
	}
	sent, err := c.Publish(ctx, &sdk.PublishInput{TopicArn: out.TopicArn, Subject: aws.String("web waits"), Message: aws.String("The connection is PENDING."),
		MessageAttributes: map[string]types.MessageAttributeValue{"pipeline": {DataType: aws.String("String"), StringValue: aws.String("web")}}})
	if err != nil {
		t.Fatal(err)
	}
	l.Cloud.Within(func() {
		all := l.Topics.Messages(*out.TopicArn)
		if len(all) != 1 || all[0].ID != *sent.MessageId || all[0].Subject != "web waits" || all[0].Text != "The connection is PENDING." || all[0].Attributes["pipeline"] != "web" {
			t.Errorf("kept: %+v", all)
		}
		if others := l.Topics.Messages("arn:aws:sns:eu-west-1:" + account + ":others"); len(others) != 0 {
			t.Errorf("another topic has %v", others)
		}
		for _, e := range l.Cloud.Events(account, "eu-west-1") {
			if e.Name == "Publish" {
				t.Error("the event history shows a data event")
			}
		}
	})
}

func TestWhatSNSRefuses(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	c, abroad, ctx := client(t, l, "ada", "eu-west-1", everything), client(t, l, "eve", "us-east-1", everything), t.Context()
	out, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("alarms")})
	if err != nil {
		t.Fatal(err)
	}
	text := aws.String("text")
	for name, tt := range map[string]struct {
		in   sdk.PublishInput
		want string
	}{
		"no such topic":         {sdk.PublishInput{TopicArn: aws.String(*out.TopicArn + "x"), Message: text}, "NotFound"},
		"no topic":              {sdk.PublishInput{Message: text}, "InvalidParameter"},
		"no text":               {sdk.PublishInput{TopicArn: out.TopicArn, Message: aws.String("")}, "InvalidParameter"},
		"too long":              {sdk.PublishInput{TopicArn: out.TopicArn, Message: aws.String(strings.Repeat("x", 256<<10+1))}, "InvalidParameter"},
		"subject of two lines":  {sdk.PublishInput{TopicArn: out.TopicArn, Message: text, Subject: aws.String("a\nb")}, "InvalidParameter"},
		"subject too long":      {sdk.PublishInput{TopicArn: out.TopicArn, Message: text, Subject: aws.String(strings.Repeat("x", 101))}, "InvalidParameter"},
		"subject not ASCII":     {sdk.PublishInput{TopicArn: out.TopicArn, Message: text, Subject: aws.String("größer")}, "InvalidParameter"},
		"structure no JSON":     {sdk.PublishInput{TopicArn: out.TopicArn, Message: text, MessageStructure: aws.String("json")}, "InvalidParameter"},
		"structure, no default": {sdk.PublishInput{TopicArn: out.TopicArn, Message: aws.String(`{"sms":"x"}`), MessageStructure: aws.String("json")}, "InvalidParameter"},
		"longest":               {sdk.PublishInput{TopicArn: out.TopicArn, Message: aws.String(strings.Repeat("x", 256<<10)), Subject: aws.String(strings.Repeat("x", 100))}, "<nil>"},
	} {
		if _, err := c.Publish(ctx, &tt.in); code(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, err := abroad.Publish(ctx, &sdk.PublishInput{TopicArn: out.TopicArn, Message: text}); code(err) != "InvalidParameter" {
		t.Errorf("a topic of another Region: %v", err)
	}
}

func TestWhoMayPublish(t *testing.T) {
	l := lab.New()
	admin, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	one := client(t, l, "bert", "eu-west-1", `{"Effect":"Allow","Action":"SNS:publish","Resource":"arn:aws:sns:eu-west-1:111111111111:alarms"}`)
	arns := map[string]*string{}
	for _, name := range []string{"alarms", "others"} {
		out, err := admin.CreateTopic(ctx, &sdk.CreateTopicInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		arns[name] = out.TopicArn
	}
	if _, err := one.Publish(ctx, &sdk.PublishInput{TopicArn: arns["alarms"], Message: aws.String("x")}); err != nil {
		t.Errorf("to the topic that the policy names: %v", err)
	}
	_, err := one.Publish(ctx, &sdk.PublishInput{TopicArn: arns["others"], Message: aws.String("x")})
	want := "User: arn:aws:iam::111111111111:user/bert is not authorized to perform: SNS:Publish on resource: arn:aws:sns:eu-west-1:111111111111:others because no identity-based policy allows the SNS:Publish action"
	var denied *types.AuthorizationErrorException
	if !errors.As(err, &denied) || denied.ErrorMessage() != want {
		t.Errorf("to another: %v, want an AuthorizationError: %s", err, want)
	}
	if _, err := one.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("mine")}); code(err) != "AuthorizationError" {
		t.Errorf("a new topic: %v", err)
	}
}

func TestTopicsComeInPagesAndLate(t *testing.T) {
	synctest.Test(t, topicsComeInPagesAndLate)
}

func topicsComeInPagesAndLate(t *testing.T) {
	l := lab.New()
	l.Cloud.PageSize, l.Cloud.Lag = 2, time.Minute
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	l.Cloud.Within(func() {
		for i := range 5 {
			if _, err := l.Topics.AddTopic(account, "eu-west-1", fmt.Sprint("topic-", i)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Topics.AddTopic(account, "us-east-1", "abroad"); err != nil {
			t.Fatal(err)
		}
	})
	time.Sleep(2 * time.Minute)
	if _, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	var seen []string
	pages := sdk.NewListTopicsPaginator(c, &sdk.ListTopicsInput{})
	n := 0
	for ; pages.HasMorePages(); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Topics {
			seen = append(seen, (*x.TopicArn)[strings.LastIndexByte(*x.TopicArn, ':')+1:])
		}
	}
	if fmt.Sprint(seen) != "[topic-0 topic-1 topic-2 topic-3 topic-4]" || n != 3 {
		t.Errorf("%d pages with %v", n, seen)
	}
}

func TestSubscriptionsAreKept(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	out, err := c.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("alarms")})
	if err != nil {
		t.Fatal(err)
	}
	for protocol, want := range map[string]string{"email": "pending confirmation", "sqs": *out.TopicArn + ":"} {
		for range 2 { // the second changes nothing
			s, err := c.Subscribe(ctx, &sdk.SubscribeInput{TopicArn: out.TopicArn, Protocol: &protocol, Endpoint: aws.String("somewhere")})
			if err != nil || !strings.HasPrefix(*s.SubscriptionArn, want) {
				t.Errorf("%s: %v, %v", protocol, s, err)
			}
		}
	}
	list, err := c.ListSubscriptionsByTopic(ctx, &sdk.ListSubscriptionsByTopicInput{TopicArn: out.TopicArn})
	if err != nil || len(list.Subscriptions) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
