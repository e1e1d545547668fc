using System.Diagnostics;

namespace Diffusion.EndToEnd;

/// <summary><c>diffusion train</c>: killed, resumed, used.</summary>
public sealed class TrainingTests(Workspace workspace) : IClassFixture<Workspace>
{
    private const int Steps = 6;

    private static string[] Train(string folder) =>
        [
            "train",
            "prior",
            DiffusionCommand.DemoPhotos,
            "-o",
            folder,
            "--steps",
            $"{Steps}",
            "--multipliers",
            "1",
            "1",
            "--blocks",
            "1",
            "--hold-out",
            "0",
            "--name",
            "tiny",
            "--dtype",
            "fp32",
            "--save-every",
            "0",
            "--threads",
            "1",
        ];

    [Fact]
    public void A_run_that_is_killed_ends_with_the_same_prior_byte_for_byte()
    {
        DiffusionCommand.Run(workspace.Folder, Train("whole")).Expect(0);
        using (Process killed = DiffusionCommand.Start(workspace.Folder, Train("killed")))
        {
            // Every step is saved: the first state is there long before the end.
            while (!File.Exists(workspace["killed/state"]) && !killed.HasExited)
                Thread.Sleep(20);
            killed.Kill();
            killed.WaitForExit();
        }
        Assert.False(File.Exists(workspace["killed/prior/tiny.safetensors"]));
        Outcome resumed = DiffusionCommand.Run(workspace.Folder, Train("killed")).Expect(0);
        Assert.Contains("going on at step", resumed.Error);
        string[] trained = File.ReadAllLines(workspace["whole/prior/photographs.txt"]);
        Assert.Equal(
            Directory.GetFiles(DiffusionCommand.DemoPhotos, "*.png").Select(Path.GetFileName).Order(),
            trained.Select(line => line[66..]).Order()
        );
        Assert.All(trained, line => Assert.Matches("^[0-9a-f]{64}  ", line));
        Assert.Equal(
            File.ReadAllBytes(workspace["whole/prior/tiny.safetensors"]),
            File.ReadAllBytes(workspace["killed/prior/tiny.safetensors"])
        );
    }

    [Fact]
    public void How_long_to_train_must_be_said() =>
        DiffusionCommand
            .Run(workspace.Folder, "train", "prior", DiffusionCommand.DemoPhotos, "-o", "run")
            .ExpectError(2, "--hours", "--steps");
}
