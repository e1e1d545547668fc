using Diffusion.Checkpoints;
using Diffusion.Runtime;
using static Diffusion.Tests.Checkpoints.PyTorchFile;

namespace Diffusion.Tests.Checkpoints;

/// <summary>Damaged at random, a file gives tensors or one CheckpointException, never anything else.</summary>
public sealed class CheckpointFuzzTests
{
    private static readonly Entries Root = new(
        ("state_dict", new Entries(("a", Vector("0", 4)), ("b", View(Storage("0", 4), 1, [2, 2], [1, 1]))) { Ordered = true }),
        ("epoch", 3),
        ("list", new List<object?> { 1.5, "x", null, true })
    );

    private static readonly Entries LegacyRoot = new(
        ("a", Vector("0", 4, legacy: true)),
        ("b", View(Storage("0", 4, legacy: true), 1, [2], [2]))
    );

    public static TheoryData<string> Formats => ["safetensors", "zip", "deflated", "zip64", "legacy"];

    [Theory, MemberData(nameof(Formats))]
    public void Random_damage_gives_tensors_or_one_clear_error(string format)
    {
        byte[] sound = format switch
        {
            "safetensors" => SafetensorsTests.Build(
                """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"""
                    + """, "b":{"dtype":"BOOL","shape":[3],"data_offsets":[16,19]}}""",
                19
            ),
            "zip" => Zip(Root, ("0", Floats(4))),
            "deflated" => ZipBuilder.Build(Parts(Root, ("0", Floats(4))).Select(part => part with { Deflated = true })),
            "zip64" => ZipBuilder.Build(Parts(Root, ("0", Floats(4))), zip64: true),
            _ => Legacy(LegacyRoot, ("0", 4, Floats(4))),
        };
        Survives(sound, rounds: 400, seed: format.Length);
    }

    public static TheoryData<string> Files => Parity.ParityCase.All("checkpoints");

    [Theory, MemberData(nameof(Files))]
    public void Damaged_files_of_PyTorch_give_tensors_or_one_clear_error(string folder)
    {
        using Parity.ParityCase reference = Parity.ParityCase.Open(folder);
        if (reference.Config.Bool("readable"))
            Survives(File.ReadAllBytes(Path.Combine(folder, reference.Config.String("file"))), rounds: 40, seed: folder.Length);
    }

    private static void Survives(byte[] sound, int rounds, int seed)
    {
        using Scratch scratch = new();
        Random random = new(seed);
        HostileFile.ReadEverything(scratch.File("sound", sound));
        int read = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = Damage(sound, random);
            string path = scratch.File("damaged", damaged);
            try
            {
                HostileFile.ReadEverything(path);
                read++;
            }
            catch (CheckpointException error)
            {
                Assert.DoesNotContain('\n', error.Message);
            }
            catch (Exception other)
            {
                Assert.Fail($"Round {round}: {other}\n{Convert.ToBase64String(damaged)}");
            }
        }
        Assert.True(read < rounds, "Nothing was ever refused.");
    }

    private static byte[] Damage(byte[] sound, Random random)
    {
        byte[] bytes = [.. sound];
        switch (random.Next(4))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                int from = random.Next(bytes.Length),
                    length = random.Next(Math.Min(40, bytes.Length - from));
                return [.. bytes[..from], .. bytes[(from + length)..]];
            case 2:
                for (int i = random.Next(1, 4); i > 0; i--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
            default:
                for (int i = random.Next(1, 6); i > 0; i--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
        }
    }
}
