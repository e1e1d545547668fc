namespace Diffusion.Tests.Architecture;

/// <summary>Lines fit a screen, which shows how long files are.</summary>
public sealed class LineLengthTests
{
    private const int Columns = 140,
        Lines = 400;

    [Fact]
    public void No_line_is_longer_than_140_columns()
    {
        string[] wrong =
        [
            .. Sources
                .Under("src", "operators", "tests", "notebooks")
                .SelectMany(file =>
                    File.ReadLines(file)
                        .Select((line, i) => (line.Length, Place: $"{Sources.Relative(file)}:{i + 1}: {line.Length} columns"))
                        .Where(line => line.Length > Columns)
                        .Select(line => line.Place)
                ),
        ];
        Assert.True(wrong.Length == 0, $"Lines of more than {Columns} columns:\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void No_file_is_longer_than_400_lines()
    {
        string[] longer =
        [
            .. Sources.Under("src", "operators").Where(file => File.ReadLines(file).Count() > Lines).Select(Sources.Relative),
        ];
        Assert.Empty(longer);
    }
}
