using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;

namespace Diffusion.EndToEnd;

/// <summary>The kernel as a front end sees it: through its sockets.</summary>
public sealed class JupyterTests(Workspace workspace) : IClassFixture<Workspace>
{
    [Fact]
    public void Installing_writes_a_kernel_that_starts_this_command()
    {
        string folder = workspace["kernels"];
        DiffusionCommand.Run(workspace.Folder, "jupyter", "install", "--folder", folder).Expect(0);
        JsonNode spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "diffusion-csharp", "kernel.json")))!;
        Assert.Equal("message", spec["interrupt_mode"]!.GetValue<string>());
        Assert.True(File.Exists(spec["argv"]![0]!.GetValue<string>()));
        Assert.Equal("{connection_file}", spec["argv"]!.AsArray()[^1]!.GetValue<string>());
    }

    [Fact]
    public void A_file_that_is_no_connection_is_one_line() =>
        DiffusionCommand.Run(workspace.Folder, "jupyter", "run", Write(workspace, "{}")).ExpectError(1, "no connection file", "Jupyter");

    [Fact]
    public void Cells_run_show_fail_complete_and_are_interrupted()
    {
        using FrontEnd kernel = new(workspace);
        Assert.Equal("C#", kernel.Ask("kernel_info_request", [])["language_info"]!["name"]!.GetValue<string>());

        Assert.Equal("42", kernel.Run("int x = 41; x + 1").Text("execute_result"));
        Assert.Equal("hi\n", kernel.Run("Console.WriteLine(\"hi\");").Published("stream")["text"]!.GetValue<string>());
        Assert.NotNull(kernel.Run("Notebook.Show(torch.rand(3, 8, 8), \"noise\");").Published("display_data")["data"]!["image/png"]);
        Assert.Equal("5", kernel.Run("await Task.Delay(1); return x - 36;").Text("execute_result"));

        Assert.Contains("CS0103", kernel.Run("nothing").Published("error")["traceback"]!.ToJsonString());
        Assert.Equal("boo", kernel.Run("throw new Exception(\"boo\");").Published("error")["evalue"]!.GetValue<string>());
        Assert.Contains("no standard input", kernel.Run("Console.ReadLine()").Published("error")["evalue"]!.GetValue<string>());

        Assert.Contains("ShowRow", kernel.Complete("Notebook.Sh"));
        Assert.Contains("Operator", kernel.Complete("new RestoreOptions { Op"));
        Assert.DoesNotContain("Show", kernel.Complete("Notebook.Co"));
        Assert.Contains(
            "Borrowed",
            kernel.Ask("inspect_request", new() { ["code"] = "Notebook.Show(1)", ["cursor_pos"] = 11 })["data"]![
                "text/plain"
            ]!.GetValue<string>()
        );
        Assert.Equal("incomplete", kernel.Ask("is_complete_request", new() { ["code"] = "if (true) {" })["status"]!.GetValue<string>());

        Answer interrupted = kernel.Run("while (true) { }", during: kernel.Interrupt);
        Assert.Equal("Interrupted", interrupted.Published("error")["ename"]!.GetValue<string>());
        Assert.Equal("41", kernel.Run("x").Text("execute_result"));
        kernel.Shutdown();
    }

    [Fact]
    public void Strangers_are_not_served()
    {
        using FrontEnd kernel = new(workspace);
        kernel.Ask("kernel_info_request", []);
        Assert.Null(kernel.TryAsk("kernel_info_request", "another key", TimeSpan.FromSeconds(1)));
        kernel.Shutdown();
    }

    private static string Write(Workspace workspace, string connection)
    {
        string path = workspace[$"connection {Guid.NewGuid():N}.json"];
        File.WriteAllText(path, connection);
        return path;
    }

    /// <summary>A reply, and what was published on the way.</summary>
    private sealed record Answer(JsonObject Reply, IReadOnlyList<(string Type, JsonObject Content)> All)
    {
        public JsonObject Published(string type) => All.First(message => message.Type == type).Content;

        public string Text(string type) => Published(type)["data"]!["text/plain"]!.GetValue<string>();
    }

    /// <summary>A front end in small.</summary>
    private sealed class FrontEnd : IDisposable
    {
        private const string Key = "0123";
        private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

        private readonly DealerSocket _shell = new(),
            _control = new();
        private readonly SubscriberSocket _published = new();
        private readonly Process _process;

        public FrontEnd(Workspace workspace)
        {
            int[] ports = [.. Enumerable.Range(0, 5).Select(_ => FreePort())];
            JsonObject connection = new()
            {
                ["transport"] = "tcp",
                ["ip"] = "127.0.0.1",
                ["key"] = Key,
                ["signature_scheme"] = "hmac-sha256",
                ["shell_port"] = ports[0],
                ["control_port"] = ports[1],
                ["iopub_port"] = ports[2],
                ["stdin_port"] = ports[3],
                ["hb_port"] = ports[4],
            };
            string file = Write(workspace, connection.ToJsonString());
            _process = DiffusionCommand.Start(workspace.Folder, "jupyter", "run", file);
            _shell.Connect($"tcp://127.0.0.1:{ports[0]}");
            _control.Connect($"tcp://127.0.0.1:{ports[1]}");
            _published.Connect($"tcp://127.0.0.1:{ports[2]}");
            _published.SubscribeToAnyTopic();
        }

        public JsonObject Ask(string type, JsonObject content)
        {
            Send(_shell, type, content, Key);
            return Receive(_shell, Patience)!.Value.Content;
        }

        public JsonObject? TryAsk(string type, string key, TimeSpan patience)
        {
            Send(_shell, type, [], key);
            return Receive(_shell, patience)?.Content;
        }

        public Answer Run(string code, Action? during = null)
        {
            string id = Send(
                _shell,
                "execute_request",
                new()
                {
                    ["code"] = code,
                    ["silent"] = false,
                    ["stop_on_error"] = false,
                },
                Key
            );
            List<(string, JsonObject)> all = [];
            bool Is(JsonObject? parent) => parent?["msg_id"]?.GetValue<string>() == id;
            while (true)
            {
                (string type, JsonObject content, JsonObject? parent) = Receive(_published, Patience)!.Value;
                if (!Is(parent))
                    continue;
                all.Add((type, content));
                if (type == "execute_input")
                    during?.Invoke();
                if (type == "status" && content["execution_state"]!.GetValue<string>() == "idle")
                    return new Answer(Receive(_shell, Patience)!.Value.Content, all);
            }
        }

        public string[] Complete(string code) =>
            [
                .. Ask("complete_request", new() { ["code"] = code, ["cursor_pos"] = code.Length })["matches"]!
                    .AsArray()
                    .Select(name => name!.GetValue<string>()),
            ];

        public void Interrupt()
        {
            Send(_control, "interrupt_request", [], Key);
            Assert.NotNull(Receive(_control, Patience));
        }

        public void Shutdown()
        {
            Send(_control, "shutdown_request", new() { ["restart"] = false }, Key);
            Assert.NotNull(Receive(_control, Patience));
            Assert.True(_process.WaitForExit(Patience));
            Assert.Equal(0, _process.ExitCode);
        }

        public void Dispose()
        {
            _shell.Dispose();
            _control.Dispose();
            _published.Dispose();
            if (!_process.HasExited)
                _process.Kill();
            _process.Dispose();
        }

        private static string Send(DealerSocket socket, string type, JsonObject content, string key)
        {
            string id = Guid.NewGuid().ToString("N");
            JsonObject header = new()
            {
                ["msg_id"] = id,
                ["msg_type"] = type,
                ["session"] = "test",
                ["username"] = "test",
                ["date"] = "2026-01-01T00:00:00Z",
                ["version"] = "5.3",
            };
            byte[][] parts = [.. ((JsonObject[])[header, [], [], content]).Select(part => Encoding.UTF8.GetBytes(part.ToJsonString()))];
            NetMQMessage frames = new([new NetMQFrame("<IDS|MSG>"), new NetMQFrame(Sign(parts, key))]);
            foreach (byte[] part in parts)
                frames.Append(part);
            socket.SendMultipartMessage(frames);
            return id;
        }

        private static (string Type, JsonObject Content, JsonObject? Parent)? Receive(NetMQSocket socket, TimeSpan patience)
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(patience, ref frames))
                return null;
            byte[][] all = [.. frames!.Select(frame => frame.ToByteArray())];
            int at = Array.FindIndex(all, frame => frame.AsSpan().SequenceEqual("<IDS|MSG>"u8));
            Assert.Equal(Sign(all[(at + 2)..(at + 6)], Key), Encoding.ASCII.GetString(all[at + 1]));
            JsonObject Part(int k) => JsonNode.Parse(all[at + 2 + k])!.AsObject();
            return (Part(0)["msg_type"]!.GetValue<string>(), Part(3), Part(1));
        }

        private static string Sign(byte[][] parts, string key) =>
            Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), parts.SelectMany(part => part).ToArray()));

        private static int FreePort()
        {
            using TcpListener listener = new(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
