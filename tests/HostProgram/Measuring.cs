using System.Diagnostics;
using System.Reflection;
using Diffusion.Native;
using Diffusion.Restoration;

namespace Diffusion.HostProgram;

/// <summary>
/// What the options are worth: seconds, processor seconds and the peak of memory of a restoration, the first one included.
/// </summary>
internal static class Measuring
{
    public static void Run(int side, string options)
    {
        DiffusionRuntime.Configure(Parse(options));
        using Restorer restorer = Job.Restorer();
        for (int round = 1; round <= 3; round++)
        {
            Stopwatch clock = Stopwatch.StartNew();
            TimeSpan processor = Environment.CpuUsage.TotalTime;
            _ = Job.Restore(restorer, side);
            using Process self = Process.GetCurrentProcess();
            double cpu = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
            Console.WriteLine(
                FormattableString.Invariant($"{options} {side} round {round}: {clock.Elapsed.TotalSeconds:0.00} s, {cpu:0.00} s of ")
                    + FormattableString.Invariant($"processor time, {self.PeakWorkingSet64 / 1e6:0} MB at the peak")
            );
        }
    }

    private static RuntimeOptions Parse(string names)
    {
        if (names == "all")
            return RuntimeOptions.Full;
        RuntimeOptions options = new();
        foreach (string name in names == "none" ? [] : names.Split(','))
            (typeof(RuntimeOptions).GetProperty(name) ?? throw new WrongException($"There is no option {name}.")).SetValue(options, true);
        return options;
    }
}
