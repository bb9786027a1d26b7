import client.*;

/** Registers, signs in, reads, lists, changes, reads a refusal, and keeps a file, with the generated client. */
class Main {
  interface Call {
    void run() throws ApiException;
  }

  static void check(boolean ok, Object got) {
    if (!ok) throw new AssertionError(got);
  }

  static Problem refusal(Call call) throws Exception {
    try {
      call.run();
    } catch (ApiException error) {
      return ApiClient.createDefaultObjectMapper().readValue(error.getResponseBody(), Problem.class);
    }
    throw new AssertionError("it was not refused");
  }

  public static void main(String[] arguments) throws Exception {
    String name = System.getenv("NAME");
    String email = name + "@example.com";
    String password = "correct horse battery staple";
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("BASE_URL"));
    AuthApi auth = new AuthApi(client);
    UsersApi users = new UsersApi(client);

    User created = users.createUser(new CreateUser().email(email).username(name).password(password), null);
    Problem refused = refusal(() -> auth.login(new Login().email(email).password("wrong password")));
    check(refused.getCode().equals("invalid_credentials"), refused);
    TokenPair pair = auth.login(new Login().email(email).password(password));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + pair.getAccessToken()));

    User me = new UsersApi(client).getCurrentUser(null);
    check(me.getId().equals(created.getId()), me);
    SessionPage page = new AuthApi(client).listCurrentUserSessions(1, null);
    check(page.getData().size() == 1 && page.getNextCursor() == null, page);
    User changed = new UsersApi(client).updateCurrentUser(new UpdateCurrentUser().username(name + "2"), null);
    check(changed.getUsername().equals(name + "2"), changed);
    Problem invalid =
        refusal(() -> new UsersApi(client).updateCurrentUser(new UpdateCurrentUser().username("-"), null));
    check(invalid.getErrors().get(0).getPointer().equals("/body/username"), invalid);

    FilesApi files = new FilesApi(client);
    StoredFile file = files.createFile(new CreateFile().name("report.txt"), null);
    check(file.getSize() == null, file);
    // Does not fit into the integers that generators take where no format is named.
    StorageUsage usage = files.getStorageUsage();
    check(usage.getMaxBytes() > Integer.MAX_VALUE, usage);
    System.out.println("done");
  }
}
