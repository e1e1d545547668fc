using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Diffusion.Interactive;
using Diffusion.Jupyter.Protocol;
using Diffusion.Jupyter.Scripting;
using Diffusion.Runtime;
using Microsoft.CodeAnalysis;

namespace Diffusion.Jupyter;

/// <summary>A kernel of Jupyter's protocol for C#: cells run one after the other on the thread that calls <see cref="Run"/>.</summary>
public sealed class JupyterKernel
{
    private static readonly TimeSpan ParentCheck = TimeSpan.FromSeconds(5);

    private readonly CSharpSession _session = new();
    private readonly BlockingCollection<Message> _requests = [];
    private readonly Channels _channels;
    private readonly KernelHost _host;
    private CancellationTokenSource _interrupt = new();
    private int _count;
    private bool _aborting;

    private JupyterKernel(ConnectionFile connection)
    {
        _channels = new Channels(connection, _requests.Add, OnControl);
        _host = new KernelHost(_channels);
    }

    /// <summary>Serves a front end until it asks for the end.</summary>
    /// <param name="connectionFile">What the front end wrote.</param>
    /// <exception cref="DiffusionException">It is no connection file.</exception>
    public static void Run(string connectionFile)
    {
        ConnectionFile connection = ConnectionFile.Read(connectionFile);
        new JupyterKernel(connection).Serve();
    }

    private void Serve()
    {
        using Channels channels = _channels;
        Notebook.Host = _host;
        using CellConsole output = new(Print, "stdout"),
            errors = new(Print, "stderr");
        Console.SetOut(output);
        Console.SetError(errors);
        Console.SetIn(new NoInput());
        using Timer watch = new(static _ => EndWithParent(), null, ParentCheck, ParentCheck);
        foreach (Message request in _requests.GetConsumingEnumerable())
        {
            _host.Cell = request;
            Status("busy");
            Handle(request);
            output.Flush();
            errors.Flush();
            Status("idle");
        }
    }

    // A front end that dies leaves no kernel behind: it names itself in Jupyter's variable.
    private static void EndWithParent()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), out int parent) || parent <= 1)
            return;
        try
        {
            using Process alive = Process.GetProcessById(parent);
        }
        catch (ArgumentException)
        {
            Environment.Exit(0);
        }
    }

    // On the sockets' thread: must not wait for the cell that runs.
    private void OnControl(Message request)
    {
        switch (request.Type)
        {
            case "interrupt_request":
                Interlocked.Exchange(ref _interrupt, new CancellationTokenSource()).Cancel();
                _channels.AnswerControl(request.Reply("interrupt_reply", Ok()));
                break;
            case "shutdown_request":
                _channels.AnswerControl(request.Reply("shutdown_reply", Ok(("restart", request.Content["restart"]?.DeepClone()))));
                _requests.CompleteAdding();
                _interrupt.Cancel();
                break;
            case "kernel_info_request":
                _channels.AnswerControl(request.Reply("kernel_info_reply", KernelInfo()));
                break;
        }
    }

    private void Handle(Message request)
    {
        JsonObject? reply = request.Type switch
        {
            "kernel_info_request" => KernelInfo(),
            "execute_request" => Execute(request),
            "complete_request" => Complete(request.Content),
            "inspect_request" => Inspect(request.Content),
            "is_complete_request" => new JsonObject { ["status"] = CSharpSession.Completeness(Code(request.Content)), ["indent"] = "    " },
            "history_request" => Ok(("history", new JsonArray())),
            "comm_info_request" => Ok(("comms", new JsonObject())),
            "shutdown_request" => Ok(("restart", request.Content["restart"]?.DeepClone())),
            _ => null,
        };
        if (reply is not null)
            _channels.Answer(request.Reply(request.Type.Replace("_request", "_reply", StringComparison.Ordinal), reply));
        if (request.Type == "shutdown_request")
            _requests.CompleteAdding();
    }

    private JsonObject Execute(Message request)
    {
        string code = Code(request.Content);
        bool silent = request.Content["silent"]?.GetValue<bool>() ?? false;
        if (_aborting && _requests.Count > 0)
            return new JsonObject { ["status"] = "aborted", ["execution_count"] = _count };
        _aborting = false;
        if (!silent)
            _host.Publish("execute_input", new JsonObject { ["code"] = code, ["execution_count"] = ++_count });
        CancellationToken cancellation = Volatile.Read(ref _interrupt).Token;
        _host.Cancellation = cancellation;
        CellResult result = _session.Run(code, cancellation);
        if (result.Error is { } error)
            return Failed(error, request.Content["stop_on_error"]?.GetValue<bool>() ?? true);
        if (result.Value is { } value && !silent)
            Tell(value);
        return Ok(("execution_count", _count), ("payload", new JsonArray()), ("user_expressions", new JsonObject()));
    }

    private void Tell(object value)
    {
        View view;
        try
        {
            view = ViewOf.Value(value);
        }
        catch (Exception e)
        {
            view = new View($"{value.GetType()}, which cannot be shown: {e.Message}");
        }
        _host.Publish(
            "execute_result",
            new JsonObject
            {
                ["execution_count"] = _count,
                ["data"] = view.ToBundle(),
                ["metadata"] = new JsonObject(),
            }
        );
    }

    private JsonObject Failed(CellError error, bool stop)
    {
        JsonObject Content() =>
            new()
            {
                ["ename"] = error.Name,
                ["evalue"] = error.Message,
                ["traceback"] = new JsonArray([.. error.Lines.Select(line => (JsonNode)line)]),
            };
        _host.Publish("error", Content());
        // What stands in the queue was sent before the front end could know: it is not run on top of a failure.
        _aborting = stop;
        JsonObject reply = Content();
        reply["status"] = "error";
        reply["execution_count"] = _count;
        return reply;
    }

    private JsonObject Complete(JsonObject request)
    {
        (SemanticModel model, int cursor) = Cursor(request);
        Completion completion = Completion.At(model, cursor);
        return Ok(
            ("matches", new JsonArray([.. completion.Names.Select(name => (JsonNode)name)])),
            ("cursor_start", completion.Start),
            ("cursor_end", completion.End),
            ("metadata", new JsonObject())
        );
    }

    private JsonObject Inspect(JsonObject request)
    {
        (SemanticModel model, int cursor) = Cursor(request);
        string? text = Inspection.At(model, cursor);
        return Ok(
            ("found", text is not null),
            ("data", text is null ? new JsonObject() : new JsonObject { ["text/plain"] = text }),
            ("metadata", new JsonObject())
        );
    }

    private (SemanticModel Model, int Cursor) Cursor(JsonObject request)
    {
        string code = Code(request);
        return (_session.Model(code), Math.Clamp(request["cursor_pos"]?.GetValue<int>() ?? code.Length, 0, code.Length));
    }

    private void Print(string stream, string text) => _host.Publish("stream", new JsonObject { ["name"] = stream, ["text"] = text });

    private void Status(string state) => _host.Publish("status", new JsonObject { ["execution_state"] = state });

    private static string Code(JsonObject content) => content["code"]?.GetValue<string>() ?? "";

    private static JsonObject Ok(params ReadOnlySpan<(string Name, JsonNode? Value)> fields)
    {
        JsonObject reply = new() { ["status"] = "ok" };
        foreach ((string name, JsonNode? value) in fields)
            reply[name] = value;
        return reply;
    }

    private static JsonObject KernelInfo() =>
        Ok(
            ("protocol_version", Message.Version),
            ("implementation", "diffusion"),
            ("implementation_version", Restoration.Versions.Library),
            ("banner", $"C# with Diffusion {Restoration.Versions.Library}"),
            ("help_links", new JsonArray()),
            (
                "language_info",
                new JsonObject
                {
                    ["name"] = "C#",
                    ["version"] = "14",
                    ["mimetype"] = "text/x-csharp",
                    ["file_extension"] = ".cs",
                    ["pygments_lexer"] = "csharp",
                    ["codemirror_mode"] = "text/x-csharp",
                }
            )
        );
}
