using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Cli.Verbs;

namespace Diffusion.Cli;

/// <summary>The tree of verbs.</summary>
internal static class Root
{
    /// <summary>Builds it. Nothing here touches libtorch or libvips.</summary>
    public static RootCommand Create() =>
        new("Restores images with pretrained diffusion models, training nothing for the task.")
        {
            GlobalOptions.Json,
            GlobalOptions.Quiet,
            GlobalOptions.Verbose,
            new DemoVerb(),
            new RestoreVerb(),
            new FaceVerb(),
            new DegradeVerb(),
            new SynthesizeVerb(),
            new MetricsVerb(),
            new VerbGroup(
                "operators",
                "List, show and check degradation operators",
                new OperatorsListVerb(),
                new OperatorsShowVerb(),
                new OperatorsCheckVerb()
            ),
            new VerbGroup("solvers", "List and show the algorithms", new SolversListVerb(), new SolversShowVerb()),
            new VerbGroup(
                "train",
                "Train priors, restorers and generators of degradations, and measure them",
                new TrainPriorVerb(),
                new TrainConsistencyVerb(),
                new TrainUnrolledVerb(),
                new TrainFaceVerb(),
                new TrainGenDegVerb(),
                new TrainRestorerVerb(),
                new TrainValidateVerb(),
                new TrainValidateFaceVerb(),
                new TrainValidateGenDegVerb(),
                new TrainValidateRestorerVerb()
            ),
            new BenchVerb(),
            new VerbGroup(
                "checkpoints",
                "List, inspect, verify and convert weight files",
                new CheckpointsListVerb(),
                new CheckpointsInspectVerb(),
                new CheckpointsVerifyVerb(),
                new CheckpointsConvertVerb(),
                new CheckpointsWhereVerb()
            ),
            new VerbGroup("jupyter", "Notebooks in C#", new JupyterInstallVerb(), new JupyterRunVerb(), new JupyterWriteVerb()),
            new DoctorVerb(),
            new CompletionVerb(),
        };
}
