import subprocess
import sys


def test_importing_producers_loads_neither_faust_nor_opencv() -> None:
    code = "import sys, producers; print(sorted({'faust', 'aiokafka', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
