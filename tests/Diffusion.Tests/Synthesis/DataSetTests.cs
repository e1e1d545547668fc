using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Rendering;

namespace Diffusion.Tests.Synthesis;

/// <summary>Sets of pairs: the same whoever makes them, whole or said not to be.</summary>
public sealed class DataSetTests : IDisposable
{
    private readonly SetWorkspace _workspace = new();

    public static TheoryData<SetFormat> Formats => [.. Enum.GetValues<SetFormat>()];

    public void Dispose() => _workspace.Dispose();

    [Theory, MemberData(nameof(Formats))]
    public void Parts_threads_and_order_do_not_change_a_byte(SetFormat format)
    {
        SetOptions options = SetWorkspace.Options(format);
        _workspace.Make("whole", options);
        _workspace.Make("threads", options, workers: 4, photos: _workspace.Photos.Reverse());
        for (int part = 3; part >= 1; part--)
            _workspace.Make("parts", options, new Shard(part, 3));
        SortedDictionary<string, string> whole = _workspace.Hashes("whole");
        Assert.Equal(whole, _workspace.Hashes("threads"));
        Assert.Equal(whole, _workspace.Hashes("parts"));
        SetVerification verified = SetVerification.Of(_workspace["whole"]);
        Assert.Empty(verified.Problems);
        Assert.Equal(12, verified.Samples);
    }

    [Fact]
    public void A_sample_does_not_know_its_name_its_set_or_its_companions()
    {
        SetPlan all = _workspace.Make("all", SetWorkspace.Options());
        string renamed = _workspace["elsewhere.png"];
        File.Copy(_workspace.Photos[1], renamed);
        SetPlan one = _workspace.Make("one", SetWorkspace.Options(perImage: 3), photos: [renamed]);
        SetSample sample = one.Samples[0],
            twin = all.Samples.Single(other => other.Key == sample.Key);
        Assert.Equal(File.ReadAllBytes(all.Folder.In(twin.DegradedPath)), File.ReadAllBytes(one.Folder.In(sample.DegradedPath)));
    }

    [Theory, MemberData(nameof(Formats))]
    public void A_set_that_was_stopped_goes_on_from_there(SetFormat format)
    {
        SetOptions options = SetWorkspace.Options(format);
        _workspace.Make("whole", options);
        using CancellationTokenSource stop = new();
        int made = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
            _workspace.Make(
                "set",
                options,
                made: _ =>
                {
                    if (++made == 5)
                        stop.Cancel();
                },
                cancellation: stop.Token
            )
        );
        Assert.NotEmpty(SetVerification.Of(_workspace["set"]).Problems);
        List<string> again = [];
        _workspace.Make("set", options, resume: true, made: sample => again.Add(sample.Id));
        // Of tar files only whole ones are kept.
        Assert.Equal(format == SetFormat.WebDataset ? 4 : 7, again.Count);
        Assert.Equal(_workspace.Hashes("whole"), _workspace.Hashes("set"));
    }

    [Fact]
    public void Every_line_of_the_manifest_reproduces_its_sample()
    {
        SetOptions options = SetWorkspace.Options();
        _workspace.Make("set", options);
        using RenderedGenerator generator = new();
        string[] lines = File.ReadAllLines(Path.Combine(_workspace["set"], SetManifest.Lines));
        Assert.Equal(12, lines.Length);
        foreach (JsonObject line in lines.Select(text => JsonNode.Parse(text)!.AsObject()))
        {
            using ComputeScope scope = new();
            string source = _workspace.Photos.Single(photo => Path.GetFileName(photo) == (string)line["source"]!);
            Assert.Equal(FileSum.OfFile(source).Sha256, (string)line["source_sha256"]!);
            using Picture clean = ImageFile.Read(source),
                written = ImageFile.Read(Path.Combine(_workspace["set"], (string)line["degraded"]!)),
                partner = ImageFile.Read(Path.Combine(_workspace["set"], (string)line["clean"]!));
            Assert.Equal(0, (clean.Pixels - partner.Pixels).abs().max().item<float>());
            DegradationKind kind = DegradationKinds.Parse((string)line["degradation"]!);
            ulong seed = (ulong)line["seed"]!;
            string key = (string)line["key"]!;
            Intensity asked = Diffusion.Synthesis.Intensities.IntensitySource.Parse((string)line["intensity"]!).Draw(kind, seed, key);
            Assert.Equal((double)line["mu_asked"]!, asked.Mu, 1e-6);
            using Synthesized made = generator.Generate(clean.Pixels, new DegradationRequest(kind, asked, seed, key));
            Assert.True((made.Degraded - written.Pixels).abs().max().item<float>() < 1e-3, $"{line["id"]} is another picture.");
            Assert.Equal((double)line["mu"]!, Intensity.Between(written.Pixels, clean.Pixels).Mu, 2e-6);
            Assert.Equal((double)line["sigma"]!, Intensity.Between(written.Pixels, clean.Pixels).Sigma, 2e-6);
            Assert.NotNull(line["versions"]!["diffusion"]);
        }
    }

    [Fact]
    public void Gaps_doubles_half_files_and_strangers_are_found()
    {
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options());
        string degraded = plan.Folder.In(plan.Samples[0].DegradedPath);
        byte[] whole = File.ReadAllBytes(degraded);
        void Expect(string words)
        {
            IReadOnlyList<string> problems = SetVerification.Of(_workspace["set"]).Problems;
            Assert.Contains(problems, problem => problem.Contains(words, StringComparison.Ordinal));
        }
        File.WriteAllBytes(degraded, whole[..^20]);
        Expect("is not what was written");
        File.WriteAllBytes(degraded, [.. whole[..^20], (byte)(whole[^20] + 1), .. whole[^19..]]);
        Expect("is not what was written");
        File.Delete(degraded);
        Expect("is missing");
        File.WriteAllBytes(degraded, whole);
        string record = plan.Folder.RecordOf(plan.Samples[1].Id),
            text = File.ReadAllText(record);
        File.Delete(record);
        Expect("lacks 1 of 4 samples");
        File.WriteAllText(record, text[..40]);
        Expect("is damaged");
        File.WriteAllText(record, text);
        string copy = plan.Folder.RecordOf("copy");
        File.WriteAllText(copy, text);
        Expect("is there 2 times");
        File.Delete(copy);
        string stranger = plan.Folder.In("clean/.0123.tmp");
        File.WriteAllText(stranger, "half");
        Expect("belongs to no sample");
        File.Delete(stranger);
        string list = plan.Folder.In(SetManifest.Lines),
            lines = File.ReadAllText(list);
        File.WriteAllText(list, lines[..(lines.Length / 2)]);
        Expect("does not list");
        File.WriteAllText(list, lines);
        Assert.Empty(SetVerification.Of(_workspace["set"]).Problems);
    }

    [Fact]
    public void What_is_damaged_is_made_again_and_what_a_killed_run_left_is_cleared_away()
    {
        SetOptions options = SetWorkspace.Options();
        SetPlan plan = _workspace.Make("set", options);
        SortedDictionary<string, string> whole = _workspace.Hashes("set");
        File.Delete(plan.Folder.RecordOf(plan.Samples[3].Id));
        File.WriteAllText(plan.Folder.In(plan.Samples[5].DegradedPath), "half");
        File.WriteAllText(plan.Folder.In("degraded/haze/.0123.tmp"), "half");
        File.Delete(plan.Folder.In(SetManifest.Lines));
        List<string> again = [];
        _workspace.Make("set", options, resume: true, made: sample => again.Add(sample.Id));
        Assert.Equal(new[] { plan.Samples[3].Id, plan.Samples[5].Id }.Order(), again.Order());
        Assert.Equal(whole, _workspace.Hashes("set"));
    }

    [Fact]
    public void A_folder_with_another_set_is_left_alone()
    {
        _workspace.Make("set", SetWorkspace.Options());
        SortedDictionary<string, string> before = _workspace.Hashes("set");
        JobException other = Assert.Throws<JobException>(() => _workspace.Make("set", SetWorkspace.Options(seed: 1), resume: true));
        Assert.Contains("another set: its seed is 0, not 1", other.Message);
        JobException same = Assert.Throws<JobException>(() => _workspace.Make("set", SetWorkspace.Options()));
        Assert.Contains("--resume", same.Message);
        JobException format = Assert.Throws<JobException>(() =>
            _workspace.Make("set", SetWorkspace.Options(SetFormat.WebDataset), resume: true)
        );
        Assert.Contains("its format is folders, not webdataset", format.Message);
        JobException foreign = Assert.Throws<JobException>(() => _workspace.Make("photos", SetWorkspace.Options(), resume: true));
        Assert.Contains("holds no set", foreign.Message);
        Assert.Equal(before, _workspace.Hashes("set"));
    }

    [Fact]
    public void A_set_of_another_version_is_left_alone()
    {
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options());
        string text = File.ReadAllText(plan.Folder.File);
        File.WriteAllText(plan.Folder.File, text.Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal));
        DiffusionException error = Assert.Throws<DiffusionException>(() => _workspace.Make("set", SetWorkspace.Options(), resume: true));
        Assert.Contains("version 2", error.Message);
        Assert.Contains("version 2", Assert.Throws<DiffusionException>(() => SetVerification.Of(_workspace["set"])).Message);
        File.WriteAllText(plan.Folder.File, text[..30]);
        Assert.Contains("damaged", Assert.Throws<DiffusionException>(() => SetVerification.Of(_workspace["set"])).Message);
    }

    [Fact]
    public void A_set_grows_by_further_pictures()
    {
        _workspace.Make("whole", SetWorkspace.Options());
        _workspace.Make("set", SetWorkspace.Options(), photos: _workspace.Photos[..1]);
        Assert.Equal(4, SetVerification.Of(_workspace["set"]).Samples);
        _workspace.Make("set", SetWorkspace.Options(), resume: true, photos: _workspace.Photos[1..]);
        Assert.Equal(_workspace.Hashes("whole"), _workspace.Hashes("set"));
    }

    [Fact]
    public void Fewer_pictures_leave_no_tar_behind_that_is_of_no_use()
    {
        SetOptions options = SetWorkspace.Options(SetFormat.WebDataset);
        _workspace.Make("whole", options, photos: _workspace.Photos[..2]);
        _workspace.Make("set", options);
        _workspace.Make("set", options, resume: true, photos: _workspace.Photos[..2]);
        Assert.Equal(_workspace.Hashes("whole"), _workspace.Hashes("set"));
        Assert.Empty(SetVerification.Of(_workspace["set"]).Problems);
    }

    [Fact]
    public void The_same_picture_under_two_names_is_taken_once_and_reported()
    {
        string copy = _workspace["copy.png"];
        File.Copy(_workspace.Photos[0], copy);
        List<(string, string)> told = [];
        IReadOnlyList<SetSource> sources = SetPlan.Hash([.. _workspace.Photos, copy], _ => null, (file, first) => told.Add((file, first)));
        Assert.Equal(3, sources.Count);
        Assert.Equal([(copy, _workspace.Photos[0])], told);
    }

    [Fact]
    public void A_damaged_picture_fails_alone()
    {
        File.WriteAllBytes(_workspace.Photos[1], File.ReadAllBytes(_workspace.Photos[1])[..60]);
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options());
        SetVerification verified = SetVerification.Of(_workspace["set"]);
        Assert.Equal(8, verified.Samples);
        Assert.Contains(verified.Problems, problem => problem.Contains("photo 1.png lacks 4 of 4 samples", StringComparison.Ordinal));
        Assert.False(File.Exists(plan.Folder.In(SetManifest.Lines)));
    }

    [Fact]
    public void A_gray_picture_with_alpha_is_taken_as_a_colour_picture()
    {
        string gray = _workspace["gray.png"];
        using (Tensor scene = TestScene.Draw(40, 40))
        using (Tensor one = scene.mean([1], keepdim: true))
            ImageFile.Write(gray, one, alpha: torch.full([1, 1, 40, 40], 0.5f));
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options(), photos: [gray]);
        using Picture made = ImageFile.Read(plan.Folder.In(plan.Samples[0].DegradedPath));
        Assert.Equal(3, made.Channels);
        Assert.Equal(1.0, plan.Samples.Count(sample => sample.Index == 1 && sample.Kind == DegradationKind.Haze));
    }
}
