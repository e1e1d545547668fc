using System.Diagnostics;
using System.Reflection;

namespace Diffusion.EndToEnd;

/// <summary>What a run of the command left behind.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    /// <summary>Asserts the exit code, with what the command said.</summary>
    public Outcome Expect(int code)
    {
        Assert.True(Code == code, $"Exit code {Code} instead of {code}.\nstdout: {Output}\nstderr: {Error}");
        return this;
    }

    /// <summary>Asserts a failure of one line on standard error, without a stack trace, and nothing on standard output.</summary>
    public Outcome ExpectError(int code, params string[] words)
    {
        Expect(code);
        string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1, $"One line was expected on standard error:\n{Error}");
        Assert.StartsWith("error: ", lines[0]);
        Assert.DoesNotContain("   at ", Error);
        foreach (string word in words)
            Assert.Contains(word, lines[0]);
        Assert.Empty(Output);
        return this;
    }
}

/// <summary>The built command, run as a process.</summary>
internal static class DiffusionCommand
{
    private const int MostStarts = 420;
    private static int _starts;

    /// <summary>Its path.</summary>
    public static string Path { get; } =
        typeof(DiffusionCommand).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "CommandPath").Value!
        + (OperatingSystem.IsWindows() ? ".exe" : "");

    /// <summary>The folder of the bundled photos.</summary>
    public static string DemoPhotos { get; } = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, "demo");

    /// <summary>Runs it in <paramref name="folder"/> and waits.</summary>
    public static Outcome Run(string folder, params IEnumerable<string> args) => Run(folder, [], args);

    /// <summary>Runs it with variables of the environment and waits.</summary>
    public static Outcome Run(string folder, (string Name, string Value)[] environment, IEnumerable<string> args)
    {
        using Process process = Start(folder, environment, args);
        process.StandardInput.Close();
        return Finish(process);
    }

    /// <summary>Starts it.</summary>
    public static Process Start(string folder, params IEnumerable<string> args) => Start(folder, [], args);

    private static Process Start(string folder, (string Name, string Value)[] environment, IEnumerable<string> args)
    {
        Assert.True(Interlocked.Increment(ref _starts) <= MostStarts, $"The end-to-end tests may start the command {MostStarts} times.");
        ProcessStartInfo start = new(Path, args)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NO_COLOR"] = "1";
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Reads what it says and waits for its end.</summary>
    public static Outcome Finish(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        const int Patience = 180_000;
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("The command did not end within three minutes.");
        }
        // libtorch's own warnings are not for users.
        Assert.DoesNotContain(".cpp:", error.Result);
        return new Outcome(process.ExitCode, output.Result, error.Result);
    }
}
