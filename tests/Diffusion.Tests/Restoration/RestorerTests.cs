using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Solvers;

namespace Diffusion.Tests.Restoration;

public sealed class RestorerTests
{
    private static readonly ImageShape Shape = new(3, 24, 32);

    private static RestoreOptions Options(string? spec = null, int steps = 3) =>
        new()
        {
            Operator = spec,
            Noise = spec is null ? null : 0.05,
            Solver = "cm4ir",
            Steps = steps,
            Policy = ComputePolicy.Reference,
        };

    private static Restorer Create(RestoreOptions options, ImageShape? shape = null) => new(options, new GaussianPrior(shape ?? Shape));

    private static Picture Photo(string name, int height = 24, int width = 32, int channels = 3, bool alpha = false)
    {
        using ComputeScope scope = new();
        Tensor x = 0.5 + 0.15 * new PhiloxNoise(1, [ImageKey.FromName(name)]).Draw(NoiseRole.Start, 1, channels, height, width);
        return new Picture(x.clamp(0, 1), alpha ? torch.linspace(0, 1, width).expand(1, 1, height, width).contiguous() : null)
        {
            Name = name,
        };
    }

    private static Measurement Degrade(Picture picture, string spec) =>
        new Degrader(ShippedOperators.Catalog.Parse(spec), 0.05).Degrade(picture).Measurement;

    private static double Difference(Picture a, Picture b) => (a.Pixels - b.Pixels).abs().max().item<float>();

    [Theory]
    [InlineData("identity")]
    [InlineData("blur:sigma=1")]
    [InlineData("downsample:factor=2")]
    [InlineData("mask:random=0.5,seed=3")]
    public void A_colour_picture_with_a_gray_prior_is_restored_channel_by_channel(string spec)
    {
        using ComputeScope scope = new();
        ImageShape gray = new(1, 32, 32);
        using Restorer restorer = new(
            new RestoreOptions { Solver = "mirror", Policy = ComputePolicy.Reference },
            new Solvers.GaussianPrior(gray)
        );
        Tensor x = 0.5 + 0.1 * new PhiloxNoise(2, [default]).Draw(NoiseRole.Start, 1, 3, 32, 32);
        using Picture photo = new(torch.nn.functional.avg_pool2d(x, 3L, stride: 1L, padding: 1L)) { Name = "photo" };
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse(spec), 0.02).Degrade(photo);
        using RestoredPicture whole = restorer.Restore(degraded.Measurement);
        Assert.Equal([1L, 3, 32, 32], whole.Picture.Pixels.shape);
        for (int i = 0; i < 3; i++)
        {
            using Measurement channel = degraded.Measurement.Channel(i);
            using RestoredPicture alone = restorer.Restore(channel);
            Assert.True(whole.Picture.Pixels.narrow(1, i, 1).allclose(alone.Picture.Pixels, 1e-5, 1e-5));
        }
        double error = (whole.Picture.Pixels - photo.Pixels).square().mean().sqrt().item<float>();
        Assert.True(error < 0.1, $"{error}");
    }

    [Fact]
    public void A_picture_of_a_batch_is_restored_as_if_it_were_alone()
    {
        using Picture a = Photo("a"),
            b = Photo("b");
        using Measurement ya = Degrade(a, "blur:sigma=1"),
            yb = Degrade(b, "blur:sigma=1");
        using Restorer restorer = Create(Options());
        IReadOnlyList<RestoredPicture> batch = restorer.Restore([ya, yb]);
        using RestoredPicture alone = restorer.Restore(yb);
        Assert.True(Difference(alone.Picture, batch[1].Picture) < 1e-4);
        Assert.True(Difference(batch[0].Picture, batch[1].Picture) > 0.05);
        foreach (RestoredPicture picture in batch)
            picture.Dispose();
    }

    public static TheoryData<string, bool> Solvers =>
        [.. SolverCatalog.BuiltIn.Entries.SelectMany(entry => new[] { (entry.Name, false), (entry.Name, true) })];

    [Theory]
    [MemberData(nameof(Solvers))]
    public void Pictures_of_a_batch_keep_their_own_noise(string solver, bool estimated)
    {
        ImageShape shape = new(3, 64, 64);
        OperatorSpec blur = ShippedOperators.Catalog.Parse("blur:sigma=3");
        double[] levels = [0.02, 0.1, 0.02];
        List<Measurement> batch = [];
        foreach ((string name, double level) in new[] { "a", "b", "c" }.Zip(levels))
        {
            using Picture photo = Photo(name, shape.Height, shape.Width);
            batch.Add(new Degrader(blur, level).Degrade(photo).Measurement);
        }
        using Restorer restorer = Create(Options(steps: 4) with { Solver = solver, Noise = estimated ? double.NaN : null }, shape);
        IReadOnlyList<RestoredPicture> together = restorer.Restore(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            using RestoredPicture alone = restorer.Restore(batch[i]);
            Assert.Equal(levels[i], together[i].Noise!.Value, estimated ? 0.02 : 0);
            Assert.Equal((alone.Noise, alone.Solver, alone.Evaluations), (together[i].Noise, together[i].Solver, together[i].Evaluations));
            Assert.Equal(alone.WhitenedResidual!.Value, together[i].WhitenedResidual!.Value, 1e-3);
            Assert.True(Difference(alone.Picture, together[i].Picture) < 1e-4);
            together[i].Dispose();
            batch[i].Dispose();
        }
    }

    [Theory]
    [InlineData("cm4ir"), InlineData("dpir"), InlineData("rdmd")]
    public void Data_steps_without_a_closed_form_take_few_iterations_and_are_counted(string solver)
    {
        ImageShape shape = new(3, 150, 170);
        using Picture a = Photo("a", shape.Height, shape.Width);
        using Measurement slanted = Degrade(a, "blur:kernel=motion,length=15,angle=30"),
            closed = Degrade(a, "blur:sigma=1");
        using Restorer restorer = Create(Options(steps: 4) with { Solver = solver }, shape);
        using RestoredPicture first = restorer.Restore(slanted),
            second = restorer.Restore(closed);
        Assert.InRange(first.InnerIterations!.Value, 1, 10);
        Assert.Null(second.InnerIterations);
    }

    [Theory]
    [InlineData("cm4ir"), InlineData("dpir"), InlineData("rdmd")]
    public void A_gray_picture_takes_the_iterations_of_a_color_picture_and_reports_them(string solver)
    {
        ImageShape shape = new(3, 150, 170);
        using Picture gray = Photo("a", shape.Height, shape.Width, channels: 1),
            color = new(gray.Pixels.repeat(1, 3, 1, 1)) { Name = "a" };
        using Measurement one = Degrade(gray, "blur:kernel=motion,length=15,angle=30"),
            three = Degrade(color, "blur:kernel=motion,length=15,angle=30");
        using Restorer restorer = Create(Options(steps: 4) with { Solver = solver }, shape);
        using RestoredPicture first = restorer.Restore(one),
            second = restorer.Restore(three);
        Assert.Equal(1, first.Picture.Channels);
        Assert.Equal(second.Solves.Solutions, first.Solves.Solutions);
        Assert.Equal(second.InnerIterations!.Value, first.InnerIterations!.Value, 1.5);
        Assert.Equal((0, null as string), (first.Solves.Unconverged, first.SolvesHint));
    }

    [Fact]
    public void A_data_step_that_ends_at_its_limit_is_told_once()
    {
        using ComputeScope scope = new();
        using Steep a = new();
        SolveLog solves = new();
        PhiloxNoise noise = new(0, [default]);
        Tensor y = a.Apply(noise.Draw(NoiseRole.Measurement, a.Input.Batch(1)));
        using GaussianPrior prior = new(a.Input);
        SolverCatalog
            .BuiltIn.Create("dpir", null, PresetRequest.For(a, 0, prior.Info, 2))
            .Solve(
                new InverseProblem(y, a, 0),
                prior,
                new SolverContext
                {
                    Noise = noise,
                    Precision = new(1e-6, 0),
                    Solves = solves,
                }
            );
        Assert.InRange(solves.Unconverged, 1, solves.Solutions);
        Assert.True(solves.WorstResidual > 1e-6);
        using RestoredPicture restored = new()
        {
            Picture = Photo("a"),
            Solves = solves,
            Operator = "steep",
            Noise = 0,
            Solver = "dpir",
            Evaluations = 2,
            Seconds = 1,
        };
        Assert.StartsWith($"{solves.Unconverged} of {solves.Solutions} data steps stopped", restored.SolvesHint, StringComparison.Ordinal);
    }

    /// <summary>Singular values over six orders of magnitude, and no closed form.</summary>
    private sealed class Steep : LinearOperator
    {
        private readonly Tensor _weights = torch.logspace(-6, 0, 24 * 32).reshape(1, 1, 24, 32).DetachFromDisposeScope();

        public override ImageShape Input { get; } = new(1, 24, 32);
        public override MeasurementShape Output => new(Input);

        public override Tensor Apply(Tensor x) => x * _weights;

        public override Tensor Adjoint(Tensor y) => y * _weights;

        public override void Dispose()
        {
            _weights.Dispose();
            base.Dispose();
        }
    }

    [Fact]
    public void Sample_k_does_not_depend_on_how_many_are_drawn()
    {
        using Picture a = Photo("a");
        using Measurement y = Degrade(a, "downsample:factor=2");
        using Restorer one = Create(Options()),
            three = Create(Options() with { Samples = 3 });
        using RestoredPicture single = one.Restore(y),
            several = three.Restore(y);
        Assert.Equal(3, several.Samples.Count);
        Assert.True(Difference(single.Picture, several.Samples[0]) < 1e-6);
        Assert.True(Difference(several.Samples[0], several.Samples[1]) > 1e-3);
        Assert.Equal(several.Picture.Pixels.shape, several.Spread!.Deviation.shape);
    }

    [Theory]
    [InlineData("dpir", "deterministic")]
    [InlineData("cm4ir", "only at its start")]
    [InlineData("ddnm", null)]
    public void Samples_of_a_solver_that_draws_no_noise_get_a_warning(string solver, string? warning)
    {
        using Picture a = Photo("a");
        using Measurement y = Degrade(a, "blur:sigma=1");
        using Restorer restorer = Create(Options() with { Solver = solver, Samples = 2 });
        using RestoredPicture restored = restorer.Restore(y);
        if (warning is null)
            Assert.DoesNotContain("noise", restored.Hint ?? "");
        else
            Assert.Contains(warning, restored.Hint);
    }

    [Fact]
    public void A_picture_goes_in_and_a_picture_comes_out()
    {
        using Picture small = Photo("small", 12, 16, alpha: true);
        using Restorer restorer = Create(Options("downsample:factor=2"));
        using Picture large = restorer.Restore(small);
        Assert.Equal((24, 32, 3), (large.Height, large.Width, large.Channels));
        Assert.Equal([1, 1, 24, 32], large.Alpha!.shape);
    }

    [Fact]
    public void Gray_is_restored_as_one_channel()
    {
        using Picture gray = Photo("gray", channels: 1);
        using Measurement y = Degrade(gray, "blur:sigma=1");
        using Restorer restorer = Create(Options());
        using RestoredPicture restored = restorer.Restore(y);
        Assert.Equal(1, restored.Picture.Channels);
        Assert.Equal(gray.Pixels.mean().item<float>(), restored.Picture.Pixels.mean().item<float>(), 0.02);
    }

    [Theory]
    [InlineData("gray")]
    [InlineData("crop:box=20x16+2+3")]
    [InlineData("bayer")]
    [InlineData("hadamard:ratio=0.5")]
    [InlineData("mask:random=0.5|blur:sigma=1")]
    [InlineData("blur:kernel=uniform,size=5,boundary=valid")]
    public void The_side_file_knows_the_size_of_the_picture(string spec)
    {
        using Picture photo = Photo("photo");
        using Measurement y = Degrade(photo, spec);
        using Restorer restorer = Create(Options());
        using RestoredPicture restored = restorer.Restore(y);
        Assert.Equal(photo.Pixels.shape, restored.Picture.Pixels.shape);
    }

    [Theory]
    [InlineData("downsample:factor=4", 6, 8)]
    [InlineData("blur:sigma=1", 24, 32)]
    [InlineData("blur:kernel=uniform,size=5,boundary=valid", 20, 28)]
    [InlineData("blur:sigma=1|downsample:factor=2", 12, 16)]
    [InlineData("pad:left=2,right=2,top=1,bottom=1|downsample:factor=2", 13, 18)]
    public void Without_a_side_file_the_size_follows_from_the_operator(string spec, int height, int width)
    {
        using Picture measured = Photo("measured", height, width);
        using Restorer restorer = Create(Options(spec));
        using Picture restored = restorer.Restore(measured);
        Assert.Equal((24, 32), (restored.Height, restored.Width));
    }

    [Fact]
    public void A_measurement_that_does_not_fit_gets_a_hint()
    {
        using Picture photo = Photo("photo");
        using Measurement y = Degrade(photo, "identity");
        using Restorer right = Create(Options("identity", steps: 8)),
            wrong = Create(Options("blur:sigma=4", steps: 8));
        using RestoredPicture good = right.Restore(y),
            bad = wrong.Restore(y);
        Assert.Null(good.Hint);
        Assert.Contains("does not explain", bad.Hint);
    }

    [Fact]
    public void The_noise_is_estimated_when_asked()
    {
        using Picture photo = Photo("photo", 96, 96);
        using Measurement y = Degrade(photo, "blur:sigma=3");
        using Restorer restorer = Create(Options("blur:sigma=3") with { Noise = double.NaN }, new ImageShape(3, 96, 96));
        using RestoredPicture restored = restorer.Restore(y);
        Assert.True(restored.NoiseEstimated);
        Assert.Equal(0.05, restored.Noise!.Value, 0.005);
    }

    [Fact]
    public void A_prior_that_answers_with_NaN_is_caught()
    {
        using Picture photo = Photo("photo");
        using Restorer restorer = new(Options("blur:sigma=1"), new GaussianPrior(Shape) { Spoil = x => x.fill_(float.NaN) });
        NumericalException error = Assert.Throws<NumericalException>(() => restorer.Restore(photo));
        Assert.Contains("NaN", error.Message);
    }

    [Fact]
    public void Cancellation_stops_before_the_next_evaluation()
    {
        using Picture photo = Photo("photo");
        using Measurement y = Degrade(photo, "blur:sigma=1");
        using CancellationTokenSource source = new();
        GaussianPrior prior = new(Shape);
        using Restorer restorer = new(Options(steps: 50), prior);
        Assert.Throws<OperationCanceledException>(() =>
            restorer.Restore(
                y,
                step =>
                {
                    if (step.Step.Step == 3)
                        source.Cancel();
                },
                source.Token
            )
        );
        Assert.Equal(3, prior.Evaluations);
    }

    [Fact]
    public void Twenty_restorations_leave_no_tensors_behind()
    {
        using Picture photo = Photo("photo");
        using Measurement y = Degrade(photo, "blur:sigma=1|downsample:factor=2");
        using Restorer restorer = Create(Options());
        restorer.Restore(y).Dispose();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 20; i++)
            restorer.Restore(y).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Memory_is_refused_before_anything_is_computed()
    {
        using Picture photo = Photo("photo");
        GaussianPrior prior = new(Shape);
        using Restorer restorer = new(Options("blur:sigma=1") with { Memory = 1 << 20 }, prior);
        ResourceException error = Assert.Throws<ResourceException>(() => restorer.Restore(photo));
        Assert.Contains("GB", error.Message);
        Assert.Equal(0, prior.Evaluations);
    }
}
