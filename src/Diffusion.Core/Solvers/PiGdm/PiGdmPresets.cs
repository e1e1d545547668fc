namespace Diffusion.Solvers;

/// <summary>PiGDM's presets.</summary>
public sealed class PiGdmPresets : ISolverPresets
{
    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "For any operator: from its first guess towards the posterior's mean, damped by the measurement's noise.",
            null,
            request => new PiGdmSolver().FewStep(request)
        ),
        new(
            "paper",
            "The settings of the published example: 100 steps from pure noise, eta 1, noise ignored, known pixels pasted.",
            "RED-diff, algos/pgdm.py",
            request => Paper.Within(request.MaxEvaluations)
        ),
        new(
            "posterior",
            "Draws samples for --samples: 250 steps from pure noise. They are the posterior's where pictures are Gaussian and "
                + "white, and nearly so where they are Gaussian; with a network the prior is what it is.",
            "Tweedie's formula; Song et al., ICLR 2023, equation 8",
            request => Posterior.Within(request.MaxEvaluations)
        ),
    ];

    private static PiGdmSolver Posterior =>
        new()
        {
            Steps = 250,
            Eta = 1,
            KeepEpsilon = false,
            Tweedie = true,
        };

    private static PiGdmSolver Paper =>
        new()
        {
            Steps = 100,
            Eta = 1,
            Damped = false,
            HardReplacement = true,
            PublishedTables = true,
        };
}
