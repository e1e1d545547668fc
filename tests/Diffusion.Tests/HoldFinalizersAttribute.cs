using System.Reflection;
using Diffusion.Native;
using Diffusion.Runtime;
using Xunit.v3;

namespace Diffusion.Tests;

/// <summary>
/// No finalizer runs during a test: tests compute with tensors outside of solvers, too (<see cref="FinalizerHold"/> says what would
/// happen). Tests run one after another.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class HoldFinalizersAttribute : BeforeAfterTestAttribute
{
    private FinalizerHold? _hold;

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        // A hold belongs to a thread, and an asynchronous test may end on another one.
        if (!NeedsFinalizers(methodUnderTest) && methodUnderTest.ReturnType == typeof(void))
            _hold = new FinalizerHold();
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        _hold?.Dispose();
        _hold = null;
    }

    private static bool NeedsFinalizers(MethodInfo test) =>
        test.IsDefined(typeof(NeedsFinalizersAttribute), true) || test.DeclaringType!.IsDefined(typeof(NeedsFinalizersAttribute), true);
}

/// <summary>A test that waits for finalizers, which would wait for ever while they are held.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class NeedsFinalizersAttribute : Attribute;
