using System.Globalization;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// One training on pairs in a folder: goes on where it was, saves often, validates now and then, and leaves a model that loads.
/// </summary>
/// <remarks>
/// Files: those of every training (<c>state</c>, <c>trunk</c>, <c>loss.csv</c> and <c>.png</c>), <c>validation.csv</c> and <c>.png</c>,
/// <c>model/</c>.
/// </remarks>
public sealed class PairTrainingRun : IDisposable
{
    private readonly PairTrainingPlan _plan;
    private readonly PairSource _pairs;
    private readonly IReadOnlyList<TrainingPair> _validation;
    private readonly int _hostThreads;

    /// <summary>Reads the pairs and the state, or makes the first one.</summary>
    /// <exception cref="DiffusionException">A picture or the state cannot be read.</exception>
    /// <exception cref="ArgumentException">There are no pairs.</exception>
    public PairTrainingRun(PairTrainingPlan plan)
    {
        NativeLibraries.LoadTorch();
        _hostThreads = torch.get_num_threads();
        torch.set_num_threads(1);
        _plan = plan;
        Directory.CreateDirectory(plan.Folder);
        using Network network = plan.Task.Create(ComputePolicy.Reference);
        State = new TrainingState(network.Parameters, new LearningRate(plan.Rate, plan.WarmupSteps));
        if (!TrainingLoop.Resume(plan.Folder, State, plan.Budget))
        {
            network.Initialize(plan.Settings.Seed);
            State.Initialize(network.Parameters);
        }
        _pairs = new PairSource(TrainingPair.Read(plan.Pairs), plan.Settings.Seed);
        _validation = TrainingPair.Read(plan.Validation);
    }

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>Trains until the budget is spent or somebody cancels; the state is saved in either case.</summary>
    /// <param name="report">Told of progress every few steps.</param>
    /// <param name="validated">Told of every validation, numbers by name.</param>
    /// <param name="cancellation">Stops after the present step.</param>
    /// <returns>Whether the budget is spent.</returns>
    public bool Run(
        Action<TrainingProgress>? report = null,
        Action<IReadOnlyList<(string Name, double Value)>>? validated = null,
        CancellationToken cancellation = default
    )
    {
        using PairTrainer trainer = new(_plan.Task, _pairs, _plan.Settings, State);
        TrainingLoop loop = new(_plan.Folder, State, _plan.Budget) { SaveEvery = _plan.SaveEvery, ValidateEvery = _plan.ValidateEvery };
        return loop.Run(
            trainer.Step,
            () =>
            {
                validated?.Invoke(Validate());
                trainer.ForgetKernels();
            },
            report,
            cancellation
        );
    }

    /// <summary>Looks at the held pairs with the averaged weights, notes the result and writes the model as it is.</summary>
    public IReadOnlyList<(string Name, double Value)> Validate()
    {
        using Network network = Network();
        IReadOnlyList<(string Name, double Value)> numbers = _plan.Task.Validate(
            network,
            _validation,
            Path.Combine(_plan.Folder, "validation.png")
        );
        string file = Path.Combine(_plan.Folder, "validation.csv");
        if (numbers.Count > 0)
        {
            if (!File.Exists(file))
                File.WriteAllText(file, $"step,crops,seconds,{string.Join(',', numbers.Select(n => n.Name))}{Environment.NewLine}");
            File.AppendAllText(
                file,
                string.Create(CultureInfo.InvariantCulture, $"{State.Step},{State.Crops},{State.Seconds:0}")
                    + string.Concat(numbers.Select(n => string.Create(CultureInfo.InvariantCulture, $",{n.Value:0.####}")))
                    + Environment.NewLine
            );
        }
        PairExport.Write(Path.Combine(_plan.Folder, "model"), _plan, State, numbers);
        return numbers;
    }

    /// <summary>The network with the averaged weights of now; the caller disposes it.</summary>
    public Network Network()
    {
        Network network = _plan.Task.Create(_plan.Settings.Policy);
        State.CopyTo(network, TrainedWeights.ShortAverage);
        network.Arrange();
        return network;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        torch.set_num_threads(_hostThreads);
    }
}
