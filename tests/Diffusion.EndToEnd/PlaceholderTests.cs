using Xunit;
namespace Diffusion.EndToEnd;
public sealed class CommandTests { [Fact] public void Exists() => Assert.True(true); }
