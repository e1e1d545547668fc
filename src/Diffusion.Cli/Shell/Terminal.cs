using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Diffusion.Cli.Shell;

/// <summary>Results to standard output, everything else to standard error. Colours and bars only on a terminal.</summary>
internal sealed class Terminal
{
    private static readonly JsonSerializerOptions JsonLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Lazy<IAnsiConsole> _out,
        _error;

    /// <summary>The version of the objects that <c>--json</c> prints.</summary>
    public const int Schema = 1;

    /// <summary>Output as the global options ask for it.</summary>
    public Terminal(bool json = false, bool quiet = false, bool verbose = false)
    {
        Json = json;
        Quiet = quiet;
        Verbose = verbose;
        bool plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        IsInteractive = !plain && !quiet && !Console.IsErrorRedirected;
        _out = new(() => Create(Console.Out, !plain && !Console.IsOutputRedirected));
        _error = new(() => Create(Console.Error, IsInteractive));
    }

    /// <summary>Results are JSON Lines.</summary>
    public bool Json { get; }

    /// <summary>No messages, no progress.</summary>
    public bool Quiet { get; }

    /// <summary>Details, and stack traces of errors.</summary>
    public bool Verbose { get; }

    /// <summary>Whether standard error shows bars and colours.</summary>
    public bool IsInteractive { get; }

    /// <summary>Standard error, for progress bars.</summary>
    public IAnsiConsole ErrorConsole => _error.Value;

    /// <summary>A line of the result.</summary>
    public void Print(string line) => Console.Out.WriteLine(line);

    /// <summary>A table of the result: drawn on a terminal, Markdown elsewhere.</summary>
    public void Print(Table table)
    {
        if (_out.Value.Profile.Capabilities.Ansi)
        {
            _out.Value.Write(table.Border(TableBorder.Rounded));
            return;
        }
        using StringWriter text = new();
        Create(text, ansi: false).Write(table.Border(TableBorder.Markdown));
        foreach (string line in text.ToString().Split('\n'))
            if (line.AsSpan().Trim().Length > 0)
                Print(line.TrimEnd());
    }

    /// <summary>An object of the result as one line of JSON, the schema's number first.</summary>
    public void PrintJson(JsonObject value)
    {
        JsonObject line = new() { ["schema"] = Schema };
        foreach ((string key, JsonNode? node) in value.ToArray())
        {
            value.Remove(key);
            line[key] = node;
        }
        Print(line.ToJsonString(JsonLine));
    }

    /// <summary>A message that is no result.</summary>
    public void Say(string line)
    {
        if (!Quiet)
            WriteError(line, null);
    }

    /// <summary>A detail for <c>--verbose</c>.</summary>
    public void Detail(string line)
    {
        if (Verbose)
            WriteError(line, "grey");
    }

    /// <summary>A warning.</summary>
    public void Warn(string line) => WriteError("warning: " + line, "yellow");

    /// <summary>A failure: one line, and the stack only when asked for.</summary>
    public void Fail(Failure failure, Exception? exception = null)
    {
        WriteError("error: " + failure.Line, "red");
        if (Verbose && exception is not null)
            Console.Error.WriteLine(exception);
    }

    /// <summary>
    /// Runs <paramref name="work"/> below a progress bar, if there is a terminal to show it on. <paramref name="work"/> reports the
    /// finished part, 0..1.
    /// </summary>
    /// <param name="title">What stands before the bar.</param>
    /// <param name="work">What is done.</param>
    /// <param name="now">What stands there after each report; null: the title.</param>
    public void WithProgress(string title, Action<Action<double>> work, Func<string>? now = null)
    {
        if (!IsInteractive)
        {
            work(static _ => { });
            return;
        }
        ErrorConsole
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                work(part =>
                {
                    task.Value = part;
                    if (now is not null)
                        task.Description = Markup.Escape(now());
                });
            });
    }

    private void WriteError(string line, string? color)
    {
        // Spectre wraps and needs a live display's lock: only where bars may be on the screen.
        if (IsInteractive)
            ErrorConsole.Write(new Text(line + "\n", color is null ? Style.Plain : Style.Parse(color)));
        else
            Console.Error.WriteLine(line);
    }

    private static IAnsiConsole Create(TextWriter writer, bool ansi)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = ansi ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = ansi ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = ansi ? InteractionSupport.Detect : InteractionSupport.No,
                Out = new AnsiConsoleOutput(writer),
            }
        );
        const int NeverWrap = 10_000;
        if (!ansi)
            console.Profile.Width = NeverWrap;
        return console;
    }
}
