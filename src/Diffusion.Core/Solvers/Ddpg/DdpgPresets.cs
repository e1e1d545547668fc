namespace Diffusion.Solvers;

/// <summary>DDPG's and IDPG's presets.</summary>
public sealed class DdpgPresets : ISolverPresets
{
    /// <summary>
    /// Damping of the back-projection in <c>few-step</c>, fitted by hand with the constants of <see cref="GuidedPresets"/>.
    /// </summary>
    private const double EtaTilde = 4;

    /// <summary>
    /// How fast <c>few-step</c> turns from least squares to back-projection, times the measurement's noise on [0,1], fitted likewise; the
    /// fastest, and the noise below which a measurement is treated as if it had this much.
    /// </summary>
    private const double GammaNoise = 0.4,
        FastestGamma = 1000,
        LeastNoise = 1e-4;

    private const string Script = "DDPG, README's commands (CelebA-HQ)";

    /// <summary>One published line. Motion blur, whose values differ a little, is not told from other blurs.</summary>
    private sealed record Line(PublishedTask Task, double Noise, double Gamma, double Zeta, double EtaTilde, DdpgStepSize StepSize);

    private static readonly Line[] Injected =
    [
        new(PublishedTask.SuperResolution, 0, 8, 0.7, 0.7, DdpgStepSize.Constant),
        new(PublishedTask.Deblurring, 0, 8, 1, 0.7, DdpgStepSize.Constant),
        new(PublishedTask.SuperResolution, 0.01, 300, 1, 1, DdpgStepSize.Constant),
        new(PublishedTask.Deblurring, 0.01, 11, 0.6, 1, DdpgStepSize.Constant),
        new(PublishedTask.SuperResolution, 0.05, 10, 0.8, 0.3, DdpgStepSize.Falling),
        new(PublishedTask.Deblurring, 0.05, 8, 0.5, 0.7, DdpgStepSize.Falling),
        new(PublishedTask.Deblurring, 0.1, 5, 0.6, 0.7, DdpgStepSize.Falling),
    ];

    private static readonly Line[] Plain =
    [
        new(PublishedTask.SuperResolution, 0.01, 300, 0, 0, DdpgStepSize.Constant),
        new(PublishedTask.Deblurring, 0.01, 100, 0, 7, DdpgStepSize.Constant),
        new(PublishedTask.SuperResolution, 0.05, 16, 0, 0.2, DdpgStepSize.Constant),
        new(PublishedTask.Deblurring, 0.05, 8, 0, 0.6, DdpgStepSize.Constant),
        new(PublishedTask.Deblurring, 0.1, 6, 0, 0.6, DdpgStepSize.Constant),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new("few-step", "For any operator: from its first guess towards the posterior's mean.", null, request =>
            new DdpgSolver
            {
                EtaTilde = EtaTilde,
                Gamma = Math.Min(FastestGamma, GammaNoise / Math.Max(request.Noise, LeastNoise)),
            }.FewStep(request)
        ),
        new("paper", "The published settings of the task and the nearest noise level: 100 steps from pure noise.", Script, request =>
            Paper(Injected, request, true)
        ),
        new("idpg", "IDPG, without injected noise: the published settings of the task and the nearest noise level.", Script, request =>
            Paper(Plain, request, false)
        ),
    ];

    private static DdpgSolver Paper(Line[] lines, PresetRequest request, bool inject)
    {
        // Inpainting was not published; super-resolution lacks values in the same way.
        PublishedTask task = request.Traits.Task() == PublishedTask.Deblurring ? PublishedTask.Deblurring : PublishedTask.SuperResolution;
        Line line = lines.Where(line => line.Task == task).MinBy(line => Math.Abs(line.Noise - request.Noise))!;
        return new DdpgSolver
        {
            Steps = 100,
            InjectNoise = inject,
            Gamma = line.Gamma,
            Zeta = line.Zeta,
            EtaTilde = line.EtaTilde,
            StepSize = line.StepSize,
            ScaleLs = 1,
            PublishedTables = true,
        }.Within(request.MaxEvaluations);
    }
}
