using System.Diagnostics;
using System.Reflection;

namespace Diffusion.EndToEnd;

/// <summary>The library in a process that is not its own: <c>tests/HostProgram</c>, one process a scenario.</summary>
public sealed class HostTests
{
    private static readonly string Program =
        typeof(HostTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "HostProgram").Value!
        + (OperatingSystem.IsWindows() ? ".exe" : "");

    [Fact]
    public void Nothing_of_the_process_changes_unless_it_is_asked_for_and_no_result_depends_on_it() => Run("untouched");

    [Fact]
    public void A_host_that_has_used_TorchSharp_before_keeps_its_tensors_gradients_and_scopes() => Run("torch-first");

    [Fact]
    public void The_number_of_threads_is_the_hosts() => Run("threads");

    [Fact]
    public void Finalizers_run_while_a_picture_is_restored() => Run("without-pause");

    [Fact]
    public void Two_restorers_at_once_give_the_results_of_one_and_let_finalizers_run() => Run("two-restorers");

    private static void Run(string scenario)
    {
        ProcessStartInfo start = new(Program, [scenario]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string why = string.Join('\n', error.Result.Split('\n').Where(line => !line.Contains("NNPACK", StringComparison.Ordinal)));
        Assert.True(process.ExitCode == 0, $"{output}\n{why}");
        Assert.EndsWith("as it should be", output.TrimEnd());
    }
}
