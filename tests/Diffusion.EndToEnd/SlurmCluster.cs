using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Diffusion.EndToEnd;

/// <summary>A real Slurm of one node in a folder of its own: munged, slurmctld, slurmd.</summary>
internal sealed class SlurmCluster : IDisposable
{
    private const int Terminate = 15;
    private readonly string _folder;

    private SlurmCluster(string folder) => _folder = folder;

    /// <summary>Starts it; skips the test where Slurm (Debian: slurm-wlm) isn't there or may not run.</summary>
    public static SlurmCluster Start()
    {
        bool isThere = ((string[])["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"]).All(File.Exists);
        Assert.SkipUnless(isThere && Environment.UserName == "root", "needs Slurm (Debian: slurm-wlm) and root");
        // Sockets have short names.
        SlurmCluster cluster = new(Directory.CreateTempSubdirectory("slurm").FullName);
        try
        {
            cluster.Configure();
            cluster.Run(
                "/usr/sbin/munged",
                "--force",
                $"--key-file={cluster.In("munge.key")}",
                $"--socket={cluster.In("munge.socket")}",
                $"--pid-file={cluster.In("munged.pid")}",
                $"--log-file={cluster.In("munged.log")}",
                $"--seed-file={cluster.In("munge.seed")}"
            );
            cluster.Run("/usr/sbin/slurmctld");
            cluster.Run("/usr/sbin/slurmd");
            cluster.WaitUntil("the node is idle", () => cluster.Run("/usr/bin/sinfo", "-h", "-o", "%t").Trim() == "idle");
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Runs one of its commands and returns what it printed.</summary>
    public string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SLURM_CONF"] = In("slurm.conf");
        start.Environment["DIFFUSION"] = DiffusionCommand.Path;
        using Process process = Process.Start(start)!;
        // A daemon keeps the pipes open: what a command printed is read until it ends.
        bool isDaemon = program.StartsWith("/usr/sbin/", StringComparison.Ordinal);
        string output = isDaemon ? "" : process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, isDaemon ? $"{program} did not start." : process.StandardError.ReadToEnd());
        return output;
    }

    /// <summary>Submits an array job; the job's number.</summary>
    public string Submit(string workingFolder, string script, params IEnumerable<string> arguments) =>
        Run("/usr/bin/sbatch", ["--parsable", "--chdir", workingFolder, "--output", In("task-%a.log"), script, .. arguments]).Trim();

    /// <summary>Tasks of a job in a state, by their number in the array.</summary>
    public string[] Tasks(string job, string state) =>
        Run("/usr/bin/squeue", "-h", "-r", "-j", job, "-t", state, "-o", "%K").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Kills a task and puts it back into the queue.</summary>
    public void Requeue(string job, string task) => Run("/usr/bin/scontrol", "requeue", $"{job}_{task}");

    /// <summary>Waits until all tasks of a job have ended.</summary>
    public void WaitForEnd(string job) =>
        WaitUntil($"job {job} has ended", () =>
            Tasks(job, "all").Length == 0 || Tasks(job, "pending,running,completing,requeued").Length == 0
        );

    /// <summary>What the tasks wrote.</summary>
    public string Logs => string.Join('\n', Directory.GetFiles(_folder, "task-*.log").Order().Select(File.ReadAllText));

    /// <summary>Waits.</summary>
    public void WaitUntil(string what, Func<bool> holds, int seconds = 600)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(watch.Elapsed.TotalSeconds < seconds, $"In {seconds} s it did not come to pass that {what}. {Logs}");
            Thread.Sleep(200);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string name in (string[])["slurmd", "slurmctld", "munged"])
        {
            if (!File.Exists(In(name + ".pid")) || !int.TryParse(File.ReadAllText(In(name + ".pid")), out int id))
                continue;
            try
            {
                using Process process = Process.GetProcessById(id);
                Signals.Send(process, Terminate);
                process.WaitForExit(10_000);
            }
            catch (ArgumentException)
            {
                // It has ended already.
            }
        }
        Directory.Delete(_folder, recursive: true);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private void Configure()
    {
        if (OperatingSystem.IsWindows())
            return;
        File.WriteAllBytes(In("munge.key"), RandomNumberGenerator.GetBytes(1024));
        File.SetUnixFileMode(In("munge.key"), UnixFileMode.UserRead);
        Directory.CreateDirectory(In("state"));
        Directory.CreateDirectory(In("spool"));
        string host = Environment.MachineName.Split('.')[0];
        File.WriteAllText(
            In("slurm.conf"),
            $"""
            ClusterName=test
            SlurmctldHost={host}(127.0.0.1)
            SlurmctldPort={FreePort()}
            SlurmdPort={FreePort()}
            SlurmUser=root
            SlurmdUser=root
            AuthType=auth/munge
            AuthInfo=socket={In("munge.socket")},cred_expire=5
            StateSaveLocation={In("state")}
            SlurmdSpoolDir={In("spool")}
            SlurmctldPidFile={In("slurmctld.pid")}
            SlurmdPidFile={In("slurmd.pid")}
            SlurmctldLogFile={In("slurmctld.log")}
            SlurmdLogFile={In("slurmd.log")}
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            JobAcctGatherType=jobacct_gather/none
            AccountingStorageType=accounting_storage/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            SlurmdParameters=config_overrides
            SwitchType=switch/none
            MpiDefault=none
            KillWait=2
            ReturnToService=2
            NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
            PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP

            """
        );
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
