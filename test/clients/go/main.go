// Registers, signs in, reads, lists, changes, reads a refusal, and keeps a file, with the generated client.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func check(ok bool, got any) {
	if !ok {
		panic(fmt.Sprintf("%+v", got))
	}
}

func must[T any](value T, err error) T {
	check(err == nil, err)
	return value
}

func main() {
	ctx := context.Background()
	name := os.Getenv("NAME")
	email := name + "@example.com"
	password := "correct horse battery staple"
	var token string
	sign := func(_ context.Context, request *http.Request) error {
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	client := must(NewClientWithResponses(os.Getenv("BASE_URL"), WithRequestEditorFn(sign)))

	created := must(client.CreateUserWithResponse(ctx, nil, CreateUser{Email: email, Username: name, Password: password}))
	check(created.JSON201 != nil, created)
	refused := must(client.LoginWithResponse(ctx, Login{Email: email, Password: "wrong password"}))
	check(refused.ApplicationproblemJSON401 != nil && refused.ApplicationproblemJSON401.Code == "invalid_credentials", refused)
	pair := must(client.LoginWithResponse(ctx, Login{Email: email, Password: password}))
	check(pair.JSON200 != nil, pair)
	token = pair.JSON200.AccessToken

	me := must(client.GetCurrentUserWithResponse(ctx, nil))
	check(me.JSON200 != nil && me.JSON200.Id == created.JSON201.Id, me)
	limit := 1
	page := must(client.ListCurrentUserSessionsWithResponse(ctx, &ListCurrentUserSessionsParams{Limit: &limit}))
	check(page.JSON200 != nil && len(page.JSON200.Data) == 1 && page.JSON200.NextCursor == nil, page)
	renamed := name + "2"
	changed := must(client.UpdateCurrentUserWithResponse(ctx, nil, UpdateCurrentUser{Username: &renamed}))
	check(changed.JSON200 != nil && changed.JSON200.Username == renamed, changed)
	bad := "-"
	invalid := must(client.UpdateCurrentUserWithResponse(ctx, nil, UpdateCurrentUser{Username: &bad}))
	problem := invalid.ApplicationproblemJSON400
	check(problem != nil && problem.Errors != nil && (*problem.Errors)[0].Pointer == "/body/username", invalid)

	file := must(client.CreateFileWithResponse(ctx, nil, CreateFile{Name: "report.txt"}))
	check(file.JSON201 != nil && file.JSON201.Size == nil, file)
	id := file.JSON201.Id
	written := must(client.PutFileContentWithBodyWithResponse(ctx, id, nil, "text/plain", strings.NewReader("report")))
	check(written.JSON200 != nil && *written.JSON200.Size == 6, written)
	usage := must(client.GetStorageUsageWithResponse(ctx))
	check(usage.JSON200 != nil && usage.JSON200.MaxBytes > 1<<31, usage)
	fmt.Println("done")
}
