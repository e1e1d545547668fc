using System.Diagnostics;

namespace Diffusion.Tests;

/// <summary>
/// The system's Python with Debian's packages, the other party of interchange tests; they are skipped by name where it lacks one.
/// </summary>
internal static class DebianPython
{
    private const string Interpreter = "/usr/bin/python3";

    /// <summary>Runs a script and returns what it printed; skips the test where a module that it names cannot be imported.</summary>
    /// <param name="modules">For example <c>numpy, tifffile</c>.</param>
    /// <param name="script">Python source.</param>
    /// <param name="arguments">What the script finds in <c>sys.argv[1:]</c>.</param>
    public static string Run(string modules, string script, params string[] arguments)
    {
        Assert.SkipUnless(
            File.Exists(Interpreter) && Start($"import {modules}", []).Code == 0,
            $"needs {Interpreter} with {modules} (Debian: python3-numpy python3-pil python3-tifffile python3-skimage python3-scipy "
                + "python3-astropy python3-h5py)"
        );
        (int code, string output, string error) = Start(script, arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private static (int Code, string Output, string Error) Start(string script, string[] arguments)
    {
        ProcessStartInfo start = new(Interpreter) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-W", "ignore", "-c", script, .. arguments])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
