using System.Globalization;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>
/// Trains a prior in a folder: resumes what is there, saves often, validates now and then, and leaves a prior that loads.
/// </summary>
/// <remarks>
/// Files: <c>state</c> (the run), <c>trunk</c> (the state before the decay, from which a longer run goes on), <c>loss.csv</c> and
/// <c>.png</c>, <c>validation.csv</c> and <c>.png</c>, <c>prior/</c>.
/// </remarks>
public sealed class TrainingRun : IDisposable
{
    private readonly TrainingPlan _plan;
    private readonly IReadOnlyList<TrainingPhoto> _validation;
    private readonly CropSource _crops;
    private readonly int _hostThreads;

    /// <summary>Reads the photographs and the state, or makes the first one.</summary>
    /// <exception cref="DiffusionException">A photograph, the state or the prior to start from cannot be read.</exception>
    public TrainingRun(TrainingPlan plan)
    {
        NativeLibraries.LoadTorch();
        _hostThreads = torch.get_num_threads();
        torch.set_num_threads(1);
        _plan = plan;
        Directory.CreateDirectory(plan.Folder);
        _crops = new CropSource(TrainingPhotos.Read(plan.Photos), plan.Settings.Seed, plan.Settings.Upright);
        _validation = TrainingPhotos.Read(plan.Validation);
        State = Resume();
    }

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>Trains until the budget is spent or somebody cancels; the state is saved in either case.</summary>
    /// <param name="report">Told of progress every few steps.</param>
    /// <param name="validated">Told of every validation.</param>
    /// <param name="cancellation">Stops after the present step.</param>
    /// <returns>Whether the budget is spent.</returns>
    public bool Run(
        Action<TrainingProgress>? report = null,
        Action<IReadOnlyList<ValidationRow>>? validated = null,
        CancellationToken cancellation = default
    )
    {
        using PriorTrainer trainer = new(_plan.Architecture, _plan.Schedule, _crops, _plan.Settings, State);
        TrainingLoop loop = new(_plan.Folder, State, _plan.Budget) { SaveEvery = _plan.SaveEvery, ValidateEvery = _plan.ValidateEvery };
        return loop.Run(
            trainer.Step,
            () =>
            {
                validated?.Invoke(Validate(Validation.PaperLevels));
                trainer.ForgetKernels();
            },
            report,
            cancellation
        );
    }

    /// <summary>Denoises the validation photographs with the averaged weights, notes the result and writes the prior as it is.</summary>
    /// <param name="levels">Noise on [-1,1].</param>
    public IReadOnlyList<ValidationRow> Validate(IReadOnlyList<double> levels)
    {
        IReadOnlyList<ValidationRow> rows = [];
        if (_validation.Count > 0)
        {
            using NetworkPrior prior = Prior();
            rows = Validation.Measure(prior, _validation, levels, _plan.Settings.Workers);
            string line =
                string.Create(CultureInfo.InvariantCulture, $"{State.Step},{State.Crops},{State.Seconds:0}")
                + string.Concat(rows.Select(r => string.Create(CultureInfo.InvariantCulture, $",{r.Sigma:0.####},{r.Psnr:0.000}")))
                + Environment.NewLine;
            File.AppendAllText(Path.Combine(_plan.Folder, "validation.csv"), line);
            ValidationSheet.Write(Path.Combine(_plan.Folder, "validation.png"), prior, _validation);
        }
        PriorExport.Write(Path.Combine(_plan.Folder, "prior"), _plan, State, rows);
        return rows;
    }

    /// <summary>The prior with the averaged weights of now.</summary>
    /// <returns>The caller disposes it.</returns>
    public NetworkPrior Prior()
    {
        AdmUNet network = new(_plan.Architecture, _plan.Settings.Policy);
        State.CopyTo(network, TrainedWeights.ShortAverage);
        return _plan.Settings.Objective.Prior(network, _plan.Schedule, new PriorInfo { Name = _plan.Name, Kind = PriorKind.PosteriorMean });
    }

    private TrainingState Resume()
    {
        using AdmUNet network = new(_plan.Architecture);
        TrainingState state = new(network.Parameters, new LearningRate(_plan.Rate, _plan.WarmupSteps));
        try
        {
            if (TrainingLoop.Resume(_plan.Folder, state, _plan.Budget))
                return state;
            if (_plan.Start is null)
                network.Initialize(_plan.Settings.Seed);
            else
                Grow(_plan.Start, network, _plan.Settings.Seed);
            state.Initialize(network.Parameters);
            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    private static void Grow(string start, AdmUNet network, ulong seed)
    {
        using NetworkPrior prior = LoadStart(start);
        NetworkGrowth.Fill((AdmUNet)prior.Network, network, seed);
    }

    /// <summary>The architecture of a prior to start from, and whether it has EDM's preconditioning.</summary>
    /// <exception cref="CheckpointException">It does not load.</exception>
    /// <exception cref="ArgumentException">It is no ADM UNet that predicts epsilon or as EDM does.</exception>
    public static (AdmUNetConfig Architecture, bool Edm) StartOf(string start)
    {
        using NetworkPrior prior = LoadStart(start);
        return (((AdmUNet)prior.Network).Config, prior is EdmPrior);
    }

    private static NetworkPrior LoadStart(string start)
    {
        IDenoiser prior = PriorLoader.Load(start, ComputePolicy.Reference);
        if (
            prior
            is VpPrior { Prediction: Prediction.Epsilon or Prediction.EpsilonConsistency, Network: AdmUNet }
                or EdmPrior { Network: AdmUNet }
        )
            return (NetworkPrior)prior;
        prior.Dispose();
        throw new ArgumentException(
            $"{start} is no ADM UNet that predicts epsilon or as EDM does. Start from such a prior, or from random weights."
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        torch.set_num_threads(_hostThreads);
    }
}
