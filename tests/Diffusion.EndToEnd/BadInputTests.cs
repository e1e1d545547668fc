namespace Diffusion.EndToEnd;

/// <summary>
/// What is wrong with the input is one line with the cause and the remedy, the right exit code, no stack trace, and nothing half-written.
/// </summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private void Fails(int code, string[] args, params string[] words)
    {
        string[] before = _workspace.Files;
        DiffusionCommand.Run(_workspace.Folder, args).ExpectError(code, words);
        Assert.Equal(before, _workspace.Files);
    }

    [Fact]
    public void A_missing_file() => Fails(1, ["restore", "missing.png", "-A", "identity", "--noise", "0.1"], "no such file", "missing.png");

    [Fact]
    public void A_file_that_is_no_picture()
    {
        File.WriteAllText(_workspace["notes.png"], "these are notes");
        Fails(1, ["restore", "notes.png", "-A", "identity", "--noise", "0.1"], "notes.png");
    }

    [Fact]
    public void A_truncated_picture()
    {
        byte[] whole = File.ReadAllBytes(TestPictures.Write(_workspace["whole.png"], 64, 64));
        File.WriteAllBytes(_workspace["cut.png"], whole[..(whole.Length / 2)]);
        Fails(1, ["degrade", "cut.png", "-A", "identity", "--noise", "0", "-o", "out.tif"], "cut.png", "truncated or damaged");
    }

    [Fact]
    public void An_unknown_operator() =>
        Fails(2, ["restore", "a.png", "-A", "blurr:sigma=2", "--noise", "0.1"], "blurr", "Did you mean \"blur\"?");

    [Fact]
    public void An_impossible_value_of_an_operator() =>
        Fails(2, ["restore", "a.png", "-A", "downsample:factor=0", "--noise", "0.1"], "factor");

    [Fact]
    public void A_negative_noise_level() => Fails(2, ["restore", "a.png", "-A", "identity", "--noise", "-0.1"], "noise", "-0.1");

    [Fact]
    public void A_noise_level_of_the_wrong_scale() => Fails(2, ["restore", "a.png", "-A", "identity", "--noise", "25"], "25/255");

    [Fact]
    public void A_mask_of_the_wrong_size_names_the_option_that_helps()
    {
        TestPictures.Write(_workspace["photo.png"], 64, 48);
        TestPictures.Write(_workspace["mask.png"], 48, 64, gray: true);
        Fails(1, ["restore", "photo.png", "-A", "mask:file=mask.png", "--noise", "0.1"], "48x64", "64x48", "--resize-mask");
    }

    [Fact]
    public void A_size_that_does_not_divide_names_the_option_that_helps()
    {
        TestPictures.Write(_workspace["photo.png"], 63, 48);
        Fails(1, ["degrade", "photo.png", "-A", "downsample:factor=4", "--noise", "0.1", "-o", "small.tif"], "63", "--crop-to-fit");
    }

    [Fact]
    public void A_prior_that_is_no_network()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        File.WriteAllText(_workspace["model.pt"], "no network");
        Fails(1, ["restore", "photo.png", "-A", "identity", "--noise", "0.1", "-p", "model.pt"], "model.pt");
    }

    [Fact]
    public void A_prior_of_an_unknown_name()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        Fails(2, ["restore", "photo.png", "-A", "identity", "--noise", "0.1", "-p", "foto"], "foto", "photo");
    }

    [Fact]
    public void A_sheet_never_overwrites_an_input()
    {
        byte[] photo = File.ReadAllBytes(TestPictures.Write(_workspace["photo.png"], 32, 32));
        Fails(
            2,
            ["restore", "phot[n-p].png", "-A", "identity", "--noise", "0.1", "-o", "out.png", "--sheet-file", "photo.png", "--force"],
            "photo.png",
            "overwrite an input"
        );
        Assert.Equal(photo, File.ReadAllBytes(_workspace["photo.png"]));
    }

    [Fact]
    public void An_unknown_solver() => Fails(2, ["restore", "a.png", "-A", "identity", "--noise", "0.1", "-s", "cm4if"], "cm4if", "cm4ir");

    [Fact]
    public void An_unknown_setting_of_a_solver() =>
        Fails(2, ["restore", "a.png", "-A", "identity", "--noise", "0.1", "-s", "dpir", "--set", "lamda=1"], "lamda", "lambda");

    [Fact]
    public void An_impossible_setting_of_a_solver() =>
        Fails(2, ["restore", "a.png", "-A", "identity", "--noise", "0.1", "-s", "dpir", "--set", "lambda=-1"], "lambda", "-1");

    [Fact]
    public void A_picture_of_which_nobody_says_how_it_was_degraded()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        Fails(2, ["restore", "photo.png"], "-A SPEC", "photo.png");
    }

    [Fact]
    public void Too_little_memory()
    {
        TestPictures.Write(_workspace["photo.png"], 96, 96);
        Fails(3, ["restore", "photo.png", "-A", "identity", "--noise", "0.1", "--memory", "1M"], "GB", "--memory");
    }

    [Fact]
    public void An_output_that_would_overwrite_the_input()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        Fails(2, ["restore", "photo.png", "-A", "identity", "--noise", "0.1", "-o", "./photo.png", "--force"], "overwrite an input");
    }

    [Fact]
    public void An_output_that_exists_needs_force()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        TestPictures.Write(_workspace["x.png"], 32, 32);
        Fails(2, ["restore", "photo.png", "-A", "identity", "--noise", "0.1", "-o", "x.png"], "exists already", "--force");
    }
}
