using Diffusion.Cli.Diagnosis;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Cli.Options;

/// <summary>Turns options into the library's settings, finding what is wrong with them before anything heavy starts.</summary>
internal static class RestoreSettings
{
    /// <summary>The operator spec that the user gave, read and printed back; null when none was given.</summary>
    public static OperatorSpec? Operator(Session session, ProblemOptions problem, OperatorCatalog catalog) =>
        session.Get(problem.Operator) is { } text ? UsageException.Guard(() => catalog.Parse(text)) : null;

    /// <summary>The file that says the noise value by value; null: none.</summary>
    public static string? NoiseMap(Session session, ProblemOptions problem)
    {
        if (session.Get(problem.NoiseMap) is not { } file)
            return null;
        if (session.Has(problem.Noise))
            throw new UsageException("--noise and --noise-map both say the noise", file, "Leave one of them out");
        return File.Exists(file) ? file : throw new UsageException("There is no such noise map", file, "Check the path");
    }

    /// <summary>Device, number format, threads; loads libtorch.</summary>
    public static ComputePolicy Policy(Session session, ExecutionOptions execution)
    {
        string dtype = session.Get(execution.Dtype)!;
        ConvolutionSpeed.Verdict? measured = null;
        // doctor --measure knows this machine better than its feature flags do.
        if (dtype == "auto" && session.Get(execution.Device) is "auto" or "cpu" && ConvolutionSpeed.Stored() is { } verdict)
            (measured, dtype) = (verdict, verdict.Dtype);
        ComputePolicy policy = UsageException.Guard(() =>
            ComputePolicy.Choose(session.Get(execution.Device)!, dtype, session.Get(execution.Threads))
        );
        if (measured is not null)
            policy = policy with
            {
                DtypeReason = $"faster by \"diffusion doctor --measure\", whose verdict is in {ConvolutionSpeed.VerdictFile}",
            };
        policy.Apply();
        session.Terminal.Detail($"Number format {policy.NetworkDtype.ToString().ToLowerInvariant()}: {policy.DtypeReason}.");
        return policy;
    }

    /// <summary>What the options about solver and execution say.</summary>
    public static RestoreOptions Options(Session session, SolverOptions solver, ExecutionOptions execution) =>
        new()
        {
            Solver = session.Get(solver.Solver)!,
            Prior = session.Get(solver.Prior)!,
            Preset = session.Get(solver.Preset),
            Steps = session.Get(solver.Steps),
            Set = session.Get(solver.Set),
            Seed = session.Get(solver.Seed),
            Tile = session.Get(execution.Tile),
            Memory = session.Get(execution.Memory),
        };

    /// <summary>Checks that there is such a prior. A wrong name is the command line's fault, a missing file the data's.</summary>
    public static void CheckPrior(Session session, SolverOptions options)
    {
        string prior = session.Get(options.Prior)!;
        bool isName = Path.GetFileName(prior) == prior && !Path.HasExtension(prior) && !File.Exists(prior) && !Directory.Exists(prior);
        if (isName && !PriorFiles.Names.Contains(prior))
            throw new UsageException($"There is no prior \"{prior}\"", "--prior", NearestName.Advice(prior, PriorFiles.Names));
        if (!isName)
            PriorFiles.Find(prior);
    }

    /// <summary>Checks names and values of the solver's options without loading anything.</summary>
    public static void CheckSolver(Session session, SolverOptions options, SolverCatalog catalog)
    {
        string name = session.Get(options.Solver)!;
        if (name == SolverTable.Auto)
        {
            if (session.Has(options.Preset))
                throw new UsageException("--preset belongs to a solver", null, "Choose one with --solver");
            if (session.Has(options.Set))
                throw new UsageException("--set belongs to a solver", null, "Choose one with --solver");
            return;
        }
        if (catalog.Entries.All(entry => !entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            throw new UsageException(
                $"There is no solver \"{name}\"",
                "--solver",
                NearestName.Advice(name, [.. catalog.Entries.Select(entry => entry.Name)])
            );
        // Values that depend on the problem are checked again when it is known.
        ISolver solver = UsageException.Guard(() =>
            catalog.Find(name).CreateBlind(session.Get(options.Preset), session.Get(options.Steps), session.Get(options.Set))
        );
        if (SolverEntry.NameOf(solver) is var runs && !runs.Equals(name, StringComparison.OrdinalIgnoreCase))
            session.Terminal.Detail(
                $"-s {name} with its preset {session.Get(options.Preset) ?? catalog.Find(name).Presets[0].Name} is the solver {runs}; "
                    + $"--preset paper is {name} as published."
            );
    }
}
