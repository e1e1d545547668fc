using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// Trains a one-step face restorer in a folder: resumes what is there, saves often, validates now and then, and leaves a model that loads.
/// </summary>
/// <remarks>
/// Files: those of every training (<c>state</c>, <c>trunk</c>, <c>loss.csv</c> and <c>.png</c>), <c>validation.csv</c> and <c>.png</c>,
/// <c>model/</c>.
/// </remarks>
public sealed class FaceTrainingRun : IDisposable
{
    private readonly FaceTrainingPlan _plan;
    private readonly FaceSource _faces;
    private readonly IReadOnlyList<TrainingPhoto> _validation;
    private readonly IFacePerception? _perception;
    private readonly int _hostThreads;

    /// <summary>Reads the faces and the state, or makes the first one.</summary>
    /// <exception cref="DiffusionException">
    /// A picture or the state cannot be read, or the run in the folder was begun with other files.
    /// </exception>
    /// <exception cref="ArgumentException">A face is not square, or there is none.</exception>
    public FaceTrainingRun(FaceTrainingPlan plan)
    {
        NativeLibraries.LoadTorch();
        _hostThreads = torch.get_num_threads();
        torch.set_num_threads(1);
        _plan = plan;
        Directory.CreateDirectory(plan.Folder);
        TrainingInputs.Check(plan.Folder, TrainingLoop.IsBegun(plan.Folder), plan.Faces, plan.Bundle);
        using IFaceLearner learner = plan.Learner(ComputePolicy.Reference);
        _faces = new FaceSource(TrainingPhotos.Read(plan.Faces), learner.Side, plan.Settings.Seed);
        _validation = TrainingPhotos.Read(plan.Validation);
        _perception =
            plan.Loss.Perceptual > 0 || plan.Loss.Identity > 0 ? plan.Perception?.Invoke() ?? DescriptorPerception.Shipped() : null;
        using FaceCritic? critic = plan.Loss.Adversary > 0 ? new FaceCritic() : null;
        State = new TrainingState(FaceTrainer.Learning(learner, critic), new LearningRate(plan.Rate, plan.WarmupSteps));
        if (TrainingLoop.Resume(plan.Folder, State, plan.Budget))
            return;
        learner.Initialize(plan.Settings.Seed);
        critic?.Initialize(plan.Settings.Seed);
        if (plan.Start is { } start)
            learner.Take(start);
        State.Initialize(FaceTrainer.Learning(learner, critic));
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
        Action<FaceValidation>? validated = null,
        CancellationToken cancellation = default
    )
    {
        using FaceTrainer trainer = new(() => _plan.Learner(_plan.Settings.Policy), _faces, _plan.Loss, _perception, _plan.Settings, State)
        {
            EmbedderSteps = _plan.EmbedderSteps,
        };
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

    /// <summary>Restores the degraded validation faces with the averaged weights, notes the result and writes the model as it is.</summary>
    public FaceValidation Validate()
    {
        using IFaceLearner learner = Learner();
        FaceValidation result = FaceValidation.Measure(learner, _validation, Path.Combine(_plan.Folder, "validation.png"));
        if (_validation.Count > 0)
            File.AppendAllText(
                Path.Combine(_plan.Folder, "validation.csv"),
                string.Create(CultureInfo.InvariantCulture, $"{State.Step},{State.Crops},{State.Seconds:0},{result}{Environment.NewLine}")
            );
        learner.Write(Path.Combine(_plan.Folder, "model"), _plan, State, result);
        return result;
    }

    /// <summary>The restorer with the averaged weights of now; the caller disposes it.</summary>
    public IFaceLearner Learner()
    {
        IFaceLearner learner = _plan.Learner(_plan.Settings.Policy);
        State.CopyTo(learner.Parameters, TrainedWeights.ShortAverage, _plan.Settings.Policy.NetworkDtype);
        return learner;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        _perception?.Dispose();
        torch.set_num_threads(_hostThreads);
    }
}
