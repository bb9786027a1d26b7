"""Registers, signs in, reads, lists, changes, reads a refusal, and keeps a file, with the generated client."""
import os
from io import BytesIO

from groundwork_client import AuthenticatedClient, Client
from groundwork_client.api.auth import list_current_user_sessions, login
from groundwork_client.api.files import create_file, get_storage_usage, list_files, put_file_content
from groundwork_client.api.users import create_user, get_current_user, update_current_user
from groundwork_client.models import CreateFile, CreateUser, Login, Problem, StorageUsage, StoredFile, TokenPair
from groundwork_client.models import UpdateCurrentUser, User
from groundwork_client.types import File

base_url = os.environ["BASE_URL"]
name = os.environ["NAME"]
email = f"{name}@example.com"
password = "correct horse battery staple"

anyone = Client(base_url=base_url, raise_on_unexpected_status=True)
created = create_user.sync(client=anyone, body=CreateUser(email=email, username=name, password=password))
assert isinstance(created, User), created
refused = login.sync(client=anyone, body=Login(email=email, password="wrong password"))
assert isinstance(refused, Problem) and refused.code == "invalid_credentials", refused
pair = login.sync(client=anyone, body=Login(email=email, password=password))
assert isinstance(pair, TokenPair), pair

client = AuthenticatedClient(base_url=base_url, token=pair.access_token, raise_on_unexpected_status=True)
me = get_current_user.sync(client=client)
assert isinstance(me, User) and me.id == created.id, me
page = list_current_user_sessions.sync(client=client, limit=1)
assert len(page.data) == 1 and page.next_cursor is None, page
changed = update_current_user.sync(client=client, body=UpdateCurrentUser(username=f"{name}2"))
assert isinstance(changed, User) and changed.username == f"{name}2", changed
invalid = update_current_user.sync(client=client, body=UpdateCurrentUser(username="-"))
assert isinstance(invalid, Problem) and invalid.errors[0].pointer == "/body/username", invalid

created = create_file.sync(client=client, body=CreateFile(name="report.txt"))
assert isinstance(created, StoredFile) and created.size is None, created
written = put_file_content.sync(created.id, client=client, body=File(payload=BytesIO(b"report")))
assert isinstance(written, StoredFile) and written.size == 6, written
assert [file.id for file in list_files.sync(client=client).data] == [created.id]
usage = get_storage_usage.sync(client=client)
assert isinstance(usage, StorageUsage) and usage.max_bytes > 2**31, usage
print("done")
